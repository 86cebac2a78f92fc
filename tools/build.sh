#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh OUT: OUT/root, a tree laid over the emulated host's /, and OUT/bin,
# the tools that are of use on the build machine. Run in the tool root, with TV_BUILD.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
build=${TV_BUILD:-$top/build}
mbedtls=${MBEDTLS:-$build/src/mbedtls}
libcbor=${LIBCBOR:-$build/src/libcbor}
cc="aarch64-linux-gnu-gcc -std=gnu11 -O2 -static -Wall -Wextra -Werror -D_GNU_SOURCE
	-I$top/include -I$top/nvisor/overlay/include/uapi"

[ -e "$mbedtls/library/sha256.c" ] || {
	echo "tools/build.sh: no Mbed TLS in $mbedtls: set MBEDTLS=" >&2
	exit 1
}
mkdir -p "$out/bin" "$out/root/usr/bin" "$out/root/usr/lib/twinvisor" "$out/root/usr/share/man/man1"
make -s -f "$here/tv/Makefile" O="$out/tv.native" MBEDTLS="$mbedtls" LIBCBOR="$libcbor" CROSS=
make -s -f "$here/tv/Makefile" O="$out/tv.arm64" MBEDTLS="$mbedtls" LIBCBOR="$libcbor" \
	CROSS=aarch64-linux-gnu- SSL="$build/ssl"
make -s -f "$here/verifier/Makefile" O="$out/verifier" LIBCBOR="$libcbor"
cp "$out/tv.native/tv" "$out/bin/tv"
cp "$out/verifier/verifier" "$out/bin/verifier"
cp "$out/tv.arm64/tv" "$out/root/usr/bin/tv"
cp "$here/tv/tv.1" "$out/root/usr/share/man/man1/tv.1"
$cc -o "$out/root/usr/bin/tv-hunt" "$here/hunt/tv-hunt.c"
$cc -o "$out/root/usr/lib/twinvisor/demo" "$here"/demo/*.c
