#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: build.sh SRC OUT: builds the N-visor from the patched tree SRC into OUT,
# as far as an out-of-tree module can be built against it. Of an unpatched tree it
# builds the same kernel without TwinVisor, to compare with.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
src=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)

kmake() {
	make -C "$src" O="$out" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- LOCALVERSION= \
		KBUILD_BUILD_USER=twinvisor KBUILD_BUILD_HOST=twinvisor "$@"
}

# What the kernel is to have: an unpatched one does not know TwinVisor's settings.
wanted() {
	if [ -d "$src/arch/arm64/kvm/twinvisor" ]; then
		cat "$here/config"
	else
		grep -v TWINVISOR "$here/config"
	fi
}

# A setting that Kconfig dropped silently would come up as a puzzle much later.
check_config() {
	grep -E '^CONFIG_[A-Z0-9_]+=y$' "$out/.config.wanted" | while read -r line; do
		grep -qx "$line" "$out/.config" || echo "$line"
	done >"$out/.config.lost"
	[ ! -s "$out/.config.lost" ] || {
		echo "build.sh: Kconfig refused: $(tr '\n' ' ' <"$out/.config.lost")" >&2
		exit 1
	}
}

# The .config is only replaced when it changes, so that a second run builds nothing.
configure() {
	wanted >"$out/.config.wanted"
	KCONFIG_CONFIG="$out/.config.new" KCONFIG_ALLCONFIG="$out/.config.wanted" kmake allnoconfig
	cmp -s "$out/.config.new" "$out/.config" || cp "$out/.config.new" "$out/.config"
}

# The ABI has one home; the kernel finds it at this place and name.
take_abi() {
	[ -d "$src/arch/arm64/kvm/twinvisor" ] || return 0
	abi=$src/arch/arm64/include/asm/twinvisor_abi.h
	cmp -s "$here/../include/twinvisor/abi.h" "$abi" || cp "$here/../include/twinvisor/abi.h" "$abi"
}

take_abi
configure
check_config
kmake -j"${JOBS:-$(nproc)}" Image modules
