#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds the fuzzers into OUT (build/tests/fuzz). Environment: MBEDTLS, a mbedTLS 3.6 source.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-build/tests/fuzz}
# shellcheck source=tests/lib/host.sh
. tests/lib/host.sh
mkdir -p "$out"
tests/lib/small-chunks.sh "$out/include"
fuzzer() { # name, more sources, more flags
	# shellcheck disable=SC2086
	${CLANG:-clang-19} -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -Wall -Wextra -Werror -I"$out/include" ${3:-} $host_include \
		$host_sources tests/fuzz/$1.c $2 -o "$out/$1"
}
fuzzer smc ''
fuzzer its tests/lib/fdt.c
fuzzer policy ''
fuzzer nvm "$havmsi_sources" "$havmsi_include"

# What reads tokens is the tool's, with libraries of its own.
sanitizers='-g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
libcbor=${LIBCBOR:-build/src/libcbor}
make -s -f tools/verify/Makefile O="$out/verify" LIBCBOR="$libcbor" CC="${CLANG:-clang-19}" VERIFY_CFLAGS="$sanitizers"
# shellcheck disable=SC2086
"${CLANG:-clang-19}" -std=gnu17 -Wall -Wextra -Werror -D_GNU_SOURCE -fsanitize=fuzzer $sanitizers -Itools/verify -Iinclude \
	-isystem "$out/verify/include" -isystem "$libcbor/src" tests/fuzz/token.c "$out/verify/cose.o" "$out/verify/policy.o" "$out/verify/eventlog.o" \
	"$out"/verify/libcbor/*.o "$out"/verify/libcbor/cbor/*.o "$out"/verify/libcbor/cbor/internal/*.o -lcrypto -lm \
	-o "$out/token"
fuzzer virtio tests/lib/fdt.c

# So is what reads launch logs.
"${CLANG:-clang-19}" -std=gnu17 -Wall -Wextra -Werror -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all -Iinclude -Itools/tv tests/fuzz/log.c tools/tv/log.c tools/tv/explain.c -o "$out/log"
