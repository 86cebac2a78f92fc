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
list=tests/guests/image/packages # for complaints
# shellcheck source=tests/lib/initrd.sh
. "$here/../../lib/initrd.sh"

program() { # NAME, into /test
	aarch64-linux-gnu-gcc -std=gnu11 -g -O1 -static -Wall -Wextra -Werror -fno-omit-frame-pointer \
		"-ffile-prefix-map=$here=." -o "$root/test/$1" "$here/$1.c"
}

begin() { # NAME OF A TEST…
	start "$@"
	loader
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
