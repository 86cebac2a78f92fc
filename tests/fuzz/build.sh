#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds the fuzzers into OUT (build/tests/fuzz). Environment: MBEDTLS, a mbedTLS 3.6 source.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-build/tests/fuzz}
mbedtls=${MBEDTLS:-build/src/mbedtls}
if [ ! -e "$mbedtls/library/sha256.c" ]; then
	echo "no mbedTLS source in $mbedtls (set MBEDTLS=)" >&2
	exit 1
fi
mkdir -p "$out"
tests/lib/small-chunks.sh "$out/include"
# shellcheck disable=SC2086
fuzzer() { # name, more sources
	${CLANG:-clang-19} -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -Wall -Wextra -Werror '-DMBEDTLS_CONFIG_FILE="mbedtls_config.h"' \
		-I"$out/include" -Isvisor/core -Isvisor/virtio -Isvisor/arch -Isvisor/platform -Isvisor/arch/host -Itests/lib \
		-I"$mbedtls/include" svisor/core/*.c svisor/virtio/*.c svisor/arch/host/*.c tests/fuzz/$1.c $2 \
		"$mbedtls/library/sha256.c" "$mbedtls/library/platform_util.c" -o "$out/$1"
}
fuzzer smc ''
fuzzer its tests/lib/fdt.c
fuzzer virtio tests/lib/fdt.c
