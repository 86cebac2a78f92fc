#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: build.sh OUT INITRD: OUT/gdb.initrd, perf.initrd and stress.initrd, the test guest's INITRD
# with stock Debian tools added, of the packages that are unpacked in OUT/root, each with the libraries
# it needs. The same input gives the same bytes. Run in the tool root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$1" && pwd)
initrd=$2
packages=$out/root
libraries=usr/lib/aarch64-linux-gnu
# shellcheck source=tests/lib/initrd.sh
. "$here/../../lib/initrd.sh"

# Copies a program or library with all that it needs.
take() {
	[ ! -e "$root/$1" ] || return 0
	from=$packages/$1
	[ -e "$from" ] || from=$packages/${1#usr/}
	[ -e "$from" ] || {
		echo "guests/image/build.sh: no $1: name its package in tests/guests/image/packages" >&2
		exit 1
	}
	mkdir -p "$root/${1%/*}"
	cp -L "$from" "$root/$1"
	for need in $(aarch64-linux-gnu-readelf -d "$root/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		take "$libraries/$need"
	done
}

program() { # NAME, into /test
	aarch64-linux-gnu-gcc -std=gnu11 -g -O1 -static -Wall -Wextra -Werror -fno-omit-frame-pointer \
		"-ffile-prefix-map=$here=." -o "$root/test/$1" "$here/$1.c"
}

begin() { # NAME OF A TEST…
	start "$@"
	mkdir "$root/lib"
	ln -s ../$libraries/ld-linux-aarch64.so.1 "$root/lib/ld-linux-aarch64.so.1"
}

begin gdb watch.gdb
take usr/bin/gdb
program watched
finish gdb

begin perf
take usr/bin/perf
program hot
finish perf

begin stress
take usr/bin/hackbench
take usr/bin/stress-ng
finish stress
