#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh OUT GUEST: OUT/secret.initrd, the test guest's initrd of GUEST with all that a guest
# needs to fetch a secret and open its disk with it: of the packages that are unpacked in OUT/root, of
# the modules of the kernel there, and tvg. All of it is measured. The same input gives the same bytes.
# Run in the tool root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$1" && pwd)
guest=$2
initrd=$guest/initrd
kernel=$guest/kernel/usr
packages=$out/root
list=tools/secret/packages # for complaints
# shellcheck source=tests/lib/initrd.sh
. "$here/../../tests/lib/initrd.sh"

start unlock provision
mkdir -p "$root/bin" "$root/sbin" "$root/mnt" "$root/run"
ln -s /bin/busybox "$root/sbin/modprobe" # for the kernel
for name in ip modprobe umount; do
	ln -s busybox "$root/bin/$name"
done
loader
take usr/sbin/cryptsetup
take usr/sbin/mke2fs
cp "$guest/tvg/tvg-fetch-secret" "$root/bin/"
modules virtio_blk virtio_net dm-crypt xts aes-ce-blk sha2-ce algif_skcipher algif_hash
finish secret
