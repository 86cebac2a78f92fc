#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: build.sh SRC OUT: builds the KVM selftests of the Linux tree SRC into OUT, static, and
# stripped ones to be run into OUT/tests.
set -eu

src=$(cd "$1" && pwd)
mkdir -p "$2/headers" "$2/objects"
out=$(cd "$2" && pwd)
jobs=-j${JOBS:-$(nproc)}
cross="ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-"

# shellcheck disable=SC2086 # these are words
make "$jobs" -C "$src" O="$out/headers" $cross headers
# shellcheck disable=SC2086
make "$jobs" -C "$src/tools/testing/selftests/kvm" $cross OUTPUT="$out/objects" \
	INSTALL_HDR_PATH="$out/headers/usr" LDFLAGS=-static
rm -rf "$out/tests"
mkdir "$out/tests"
find "$out/objects" -type f -perm -100 ! -name '*.*' | while read -r program; do
	aarch64-linux-gnu-strip -o "$out/tests/${program##*/}" "$program"
done
