#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh OUT GUEST: OUT/disk.initrd, the test guest's initrd of GUEST with the modules for
# disks and network of the kernel there, and OUT/disk.img, a disk whose second partition is the root file
# system that it then goes to: what is in OUT/disk.tar, the tests in test/, and the kernel, which GRUB
# starts (of OUT/grub). OUT/repo is its repository once more, for a server to offer. Run in the tool root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$1" && pwd)
guest=$2
initrd=$guest/initrd
kernel=$guest/kernel/usr
free=300 # MiB
# shellcheck source=tests/lib/initrd.sh
. "$here/../../lib/initrd.sh"

boot() { # TREE
	mkdir -p "$1/boot/grub"
	cp "$guest/Image" "$1/boot/vmlinuz"
	cp "$out/disk.initrd" "$1/boot/initrd.img"
	cp "$here/grub.cfg" "$1/boot/grub/"
	chown -R 0:0 "$1/boot"
}

disk() {
	tree=$(mktemp -d)
	trap 'rm -rf "$tree"' EXIT
	tar -xpf "$out/disk.tar" -C "$tree"
	mkdir -p "$tree/dev" "$tree/mnt" "$tree/proc" "$tree/run" "$tree/sys" "$tree/test" "$tree/tmp"
	cp "$here"/test/* "$tree/test/"
	chown -R -h 0:0 "$tree/test"
	boot "$tree"
	rm -rf "$out/repo"
	cp -r "$tree/repo" "$out/repo"
	rm -f "$out/disk.ext4"
	mke2fs -q -t ext4 -L guest -E root_owner=0:0 -d "$tree" "$out/disk.ext4" \
		"$(($(du -sm "$tree" | cut -f 1) + free))M"
	"$here/grub" "$out/disk.ext4" "$out/grub/usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed" "$out/disk.img"
	rm "$out/disk.ext4"
}

start disk
mkdir -p "$root/bin" "$root/sbin"
ln -s /bin/busybox "$root/sbin/modprobe" # for the kernel
for name in chroot cut ip ln mkdir modprobe umount; do
	ln -s busybox "$root/bin/$name"
done
# shellcheck disable=SC2046 # a list of words
modules $(sed 's/#.*//' "$here/modules")
finish disk
disk
