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

libraries=usr/lib/aarch64-linux-gnu

# Copies a program or library of $packages, in which packages are unpacked, with all that it needs.
take() {
	[ ! -e "$root/$1" ] || return 0
	from=$packages/$1
	[ -e "$from" ] || from=$packages/${1#usr/}
	[ -e "$from" ] || {
		echo "${0##*/}: no $1 in $packages: name its package in ${list:-the list of packages}" >&2
		exit 1
	}
	mkdir -p "$root/${1%/*}"
	cp -L "$from" "$root/$1"
	for need in $(aarch64-linux-gnu-readelf -d "$root/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		take "$libraries/$need"
	done
}

# Programs that are not static name it.
loader() {
	mkdir -p "$root/lib"
	ln -s ../$libraries/ld-linux-aarch64.so.1 "$root/lib/ld-linux-aarch64.so.1"
}

# Copies modules of $kernel/lib/modules and what they need; unpacked, since busybox cannot.
modules() { # NAME…
	version=$(ls "$kernel/lib/modules")
	from=$kernel/lib/modules/$version to=$root/lib/modules/$version
	mkdir -p "$to"
	cp "$from/modules.builtin" "$from/modules.builtin.modinfo" "$from/modules.order" "$to/"
	depmod -n -b "$kernel" "$version" >"$out/modules.dep"
	for name in "$@"; do
		need=$(sed -n "s|^\([^:]*/$name\.ko\.xz\):|\1|p" "$out/modules.dep")
		[ -n "$need" ] || {
			echo "${0##*/}: the kernel has no module $name" >&2
			exit 1
		}
		for file in $need; do
			mkdir -p "$to/${file%/*}"
			[ -e "$to/${file%.xz}" ] || xz -dc "$from/$file" >"$to/${file%.xz}"
		done
	done
	depmod -b "$root" "$version"
	echo "$*" >"$root/lib/modules/wanted"
}
