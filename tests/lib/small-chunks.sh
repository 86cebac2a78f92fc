#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: small-chunks.sh DIR: the ABI in DIR/twinvisor/abi.h, but with chunks of one block, 2 MiB: for
# tests that zero and look at them very often.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1/twinvisor"
sed -e 's/^#define TV_CHUNK_SHIFT 23/#define TV_CHUNK_SHIFT 21/' \
	-e 's/^#define TV_CHUNK_SIZE 0x800000/#define TV_CHUNK_SIZE 0x200000/' \
	"$top/include/twinvisor/abi.h" >"$1/twinvisor/abi.h"
grep -q '^#define TV_CHUNK_SHIFT 21' "$1/twinvisor/abi.h"
grep -q '^#define TV_CHUNK_SIZE 0x200000' "$1/twinvisor/abi.h"
