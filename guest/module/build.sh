#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: build.sh OUT HEADERS SOURCE: OUT/twinvisor_guest.ko for the kernel whose Debian packages
# linux-headers-* and linux-kbuild-* are unpacked in HEADERS; and OUT/tsm.ko, configfs-tsm, of the
# kernel's SOURCE, if that kernel comes without. Run in the tool root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
headers=$(cd "$2" && pwd)
source=$3
rm -rf "$1"
mkdir -p "$1"
out=$(cd "$1" && pwd)

kernel=$(ls -d "$headers"/usr/src/linux-headers-*-arm64*)
# These name their other half by where a package has it.
sed -i "s|\([ =]\)/usr/src/|\1$headers/usr/src/|g" "$kernel/Makefile"
rm -f "$kernel/vmlinux" # is for BTF, which nobody needs here
cp "$here/Kbuild" "$here/twinvisor_guest.c" "$out/"
if ! grep -q '^CONFIG_TSM_REPORTS=' "$kernel/.config"; then
	cp "$source/drivers/virt/coco/tsm.c" "$out/" || {
		echo "guest/module/build.sh: no configfs-tsm in $source: needs Linux 6.7 or later" >&2
		exit 1
	}
fi
make -C "$kernel" M="$out" TOP="$top" ARCH=arm64 modules
aarch64-linux-gnu-strip -g "$out"/*.ko
