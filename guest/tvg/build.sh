#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh OUT MBEDTLS SSL: OUT/tvg and OUT/tvg-fetch-secret, for arm64 guests, and tvg's manual;
# MBEDTLS is its source, SSL where libssl-dev, zlib1g-dev and libzstd-dev for arm64 are unpacked. Run in
# the tool root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mbedtls=$(cd "$2" && pwd)
ssl=$(cd "$3/usr" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

cc() { # OUTPUT ARGUMENT…
	output=$1
	shift
	aarch64-linux-gnu-gcc -std=gnu11 -O2 -static -s -Wall -Wextra -Werror -D_GNU_SOURCE -o "$out/$output" "$@"
}

cd "$here"
cc tvg main.c measure.c token.c util.c "$mbedtls/library/sha256.c" "$mbedtls/library/platform_util.c" \
	-I"$mbedtls/include" -I"$mbedtls/library" -I"$top/tools/tv" "-DMBEDTLS_CONFIG_FILE=\"mbedtls_config.h\""
cc tvg-fetch-secret fetch.c secret.c token.c util.c -isystem "$ssl/include" \
	-isystem "$ssl/include/aarch64-linux-gnu" "-L$ssl/lib/aarch64-linux-gnu" -lcrypto -lz -lzstd
cp tvg.1 "$out/"
