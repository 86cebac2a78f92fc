#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh OUT KERNELDIR: OUT/initrd, the test guest's user space: busybox (of
# Debian, in KERNELDIR), our init and programs; and what makes attestation tokens, of OUT/module and
# OUT/tvg. The same input gives the same bytes, since it is measured. Run in the tool root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
busybox=$2/usr/bin/busybox
root=$out/initrd.root

[ -x "$busybox" ] || {
	echo "guest/build.sh: no $busybox: unpack Debian's busybox-static for arm64 into $2" >&2
	exit 1
}
rm -rf "$root"
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/root" "$root/tmp"
cp "$busybox" "$root/bin/busybox"
for name in sh mount cat echo grep tr uname sleep usleep poweroff reboot setsid cttyhack ls ps kill dd hexdump \
	dmesg free vi uptime date touch insmod rmmod mkdir rmdir tail cut; do
	ln -s busybox "$root/bin/$name"
done
for name in plant beat check smp debug counts; do
	aarch64-linux-gnu-gcc -std=gnu11 -O2 -static -s -Wall -Wextra -Werror \
		-o "$root/bin/$name" "$here/$name.c" "$here/registers.S"
done
cp "$here/init" "$root/init"
for name in lpi attestation attest; do
	cp "$here/$name" "$root/bin/$name"
	chmod 755 "$root/bin/$name"
done
chmod 755 "$root/init"

# Apart from /lib/modules, which others fill, and index.
mkdir -p "$root/lib/twinvisor"
xz -dc "$2"/usr/lib/modules/*/kernel/fs/configfs/configfs.ko.xz >"$root/lib/twinvisor/configfs.ko"
cp "$out"/module/*.ko "$root/lib/twinvisor/"
cp "$out/tvg/tvg" "$root/bin/tvg"
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) |
	gzip -9n >"$out/initrd.new"
mv "$out/initrd.new" "$out/initrd"
