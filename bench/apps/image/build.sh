#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh OUT GUEST: OUT/apps.img, the root file system of the benchmark's guest, of what is in
# OUT/apps.tar, to which OUT/disk.initrd goes; and OUT/work.initrd, the test guest's initrd of GUEST with the
# fixed work. Run in the tool root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$1" && pwd)
initrd=$2/initrd
free=200 # MiB
# shellcheck source=tests/lib/initrd.sh
. "$here/../../../tests/lib/initrd.sh"

start work
finish work

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
tar -xpf "$out/apps.tar" -C "$tree"
mkdir -p "$tree/data" "$tree/dev" "$tree/mnt" "$tree/proc" "$tree/run" "$tree/sys" "$tree/test" "$tree/tmp"
# What nginx's script makes.
ln -s ../sites-available/default "$tree/etc/nginx/sites-enabled/"
mkdir -p "$tree/var/www/html"
cp "$tree/usr/share/nginx/html/index.html" "$tree/var/www/html/"
cp "$here/boot" "$tree/test/"
aarch64-linux-gnu-gcc -std=gnu11 -O2 -static -Wall -Wextra -Werror -o "$tree/test/mark" "$here/../../mark.c"
chown -R -h 0:0 "$tree/test"
mke2fs -q -t ext4 -E root_owner=0:0 -d "$tree" "$out/apps.img.new" "$(($(du -sm "$tree" | cut -f 1) + free))M"
mv "$out/apps.img.new" "$out/apps.img"
