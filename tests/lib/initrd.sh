# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Sourced by scripts that make the test guest's initrd with more in it: $here/NAME are tests, $out is
# where the results go, $initrd the guest's. The same input gives the same bytes.

start() { # NAME OF A TEST…, for /test
	root=$out/tools.root
	rm -rf "$root"
	mkdir -p "$root/test"
	for name in "$@"; do
		cp "$here/$name" "$root/test/$name"
	done
}

# The kernel unpacks archive after archive.
finish() { # NAME
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 --reproducible) |
		zstd -q -9 >"$out/tools.cpio.zst"
	cat "$initrd" "$out/tools.cpio.zst" >"$out/$1.initrd.new"
	mv "$out/$1.initrd.new" "$out/$1.initrd"
}
