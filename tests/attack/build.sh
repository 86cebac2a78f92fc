#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh OUT KERNEL_BUILD: the attack program and its module, for the host
# under test. Run in the tool root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mkdir -p "$1/module"
out=$(cd "$1" && pwd)
kernel=$(cd "$2" && pwd)

# Launch policies: one takes any S-VM, one takes none that there is.
tv=${TV_BUILD:-$top/build}/tools/bin/tv
openssl ecparam -genkey -name prime256v1 -noout -out "$out/tenant.pem"
"$tv" policy --sign "$out/tenant.pem" --debug "$out/any.policy"
"$tv" policy --sign "$out/tenant.pem" --debug --measurement "$(printf '%064d' 0)" "$out/none.policy"
for name in any none; do
	echo "static const uint8_t policy_$name[] = {"
	od -An -v -tx1 "$out/$name.policy" | sed 's/ \(..\)/0x\1,/g'
	echo '};'
done >"$out/policies.h"

aarch64-linux-gnu-gcc -std=gnu11 -O2 -g -static -pthread -Wall -Wextra -Werror \
	-I "$top/include" -I "$top/tests/lib" -I "$out" -o "$out/attack" "$here"/*.c "$top"/tests/lib/*.c "$here"/*.S
cp "$here"/module/* "$out/module/"
make -s -C "$kernel" M="$out/module" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- TOP="$top" modules
cp "$out/module/tvattack.ko" "$out/"
