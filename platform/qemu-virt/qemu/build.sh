#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the emulated server's QEMU: build.sh SRC OUT [-jN]
# SRC is a QEMU 10.0 tree with our series applied; run it inside the tool root.
set -eu

[ $# -ge 2 ] || { echo "usage: $0 SRC OUT [-jN]" >&2; exit 2; }
src=$(cd "$1" && pwd)
mkdir -p "$2"
cd "$2"
jobs=${3:--j${JOBS:-$(nproc)}}

# Of devices, those in our own list only (overlay/configs).
set -- --target-list=aarch64-softmmu --without-default-features --without-default-devices \
	--with-devices-aarch64=twinvisor --enable-tcg --enable-fdt=system --enable-slirp \
	--enable-plugins --disable-install-blobs --disable-docs --disable-download
if ! [ -e build.ninja ] || [ "$(cat options 2>/dev/null)" != "$*" ]; then
	"$src/configure" "$@"
	echo "$*" >options
fi
exec ninja "$jobs" qemu-system-aarch64
