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

aarch64-linux-gnu-gcc -std=gnu11 -O2 -g -static -pthread -Wall -Wextra -Werror \
	-I "$top/include" -I "$top/tests/lib" -o "$out/attack" "$here"/*.c "$top"/tests/lib/*.c "$here"/*.S
cp "$here"/module/* "$out/module/"
make -s -C "$kernel" M="$out/module" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- TOP="$top" modules
cp "$out/module/tvattack.ko" "$out/"
