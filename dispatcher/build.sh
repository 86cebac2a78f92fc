#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# usage: dispatcher/build.sh SRC OUT [SVISOR_BIN]
# Builds OUT/flash.bin from TF-A with the dispatcher laid in (SRC) and the S-visor's image.
#   TVD_MODE  empty: the S-visor is at Secure EL2; "havmsi": at Non-secure EL2, of cores that have
#             no other; "none": on these, no S-visor, no verified boot: a kernel at EL2 as ever,
#             to compare with
#   QEMU      the emulator: its device tree has the address of the TZC-400
#   TZC_BASE  that address, or "none" for a machine without; no emulator is needed then
#   TVD_FAST  0: the slow world switch (default 1)
#   BL33      an image to boot at Non-secure EL2, loaded from the flash, in place of a
#             kernel that the emulator has put at KERNEL (default 0x40200000)
#   ROT_KEY        private key (PEM, P-256) that signs the firmware
#   DEVICE_SECRET  32 bytes, the device's secret, and who certifies the key that is made of it:
#   DEVICE_ROOT, DEVICE_ROOT_KEY  a certificate and its key (PEM), or
#   DEVICE_CERT    the device's certificate (DER) itself
#                  Without these, those of development in build/keys; docs/boot.md has the rest.
#   MBEDTLS, TINYCBOR  their source trees
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
src=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
svisor=${3:+$(realpath "$3")}
build=${TV_BUILD:-$top/build}
: "${QEMU:=$build/qemu/qemu-system-aarch64}"
keys=$build/keys
mbedtls=${MBEDTLS:-$build/src/mbedtls}
tinycbor=${TINYCBOR:-$build/src/tinycbor}
# shellcheck source=dispatcher/keys.sh
. "$top/dispatcher/keys.sh"

tzc_base() {
	dtb=$(mktemp)
	"$QEMU" -M "virt,secure=on,virtualization=on,gic-version=3,tzc=on,dumpdtb=$dtb" \
		-cpu neoverse-n2 -display none -nic none >&2
	node=$(fdtget -l "$dtb" / | grep '^tzc') || { rm "$dtb"; return 1; }
	# shellcheck disable=SC2046 # a list of numbers
	set -- $(fdtget -t x "$dtb" "/$node" reg)
	rm "$dtb"
	echo "0x$2"
}

[ -n "${TZC_BASE:-}" ] || TZC_BASE=$(tzc_base) || {
	echo "dispatcher/build.sh: no TZC-400 in the device tree of $QEMU (or set TZC_BASE)" >&2
	exit 1
}
[ "$TZC_BASE" = none ] && TZC_BASE=

if [ -n "${BL33:-}" ]; then
	boot="BL33=$(realpath "$BL33")"
else
	boot="ARM_LINUX_KERNEL_AS_BL33=1 PRELOADED_BL33_BASE=${KERNEL:-0x40200000}"
fi

# What the mode is made of
armv8="ENABLE_SVE_FOR_NS=0 ENABLE_SME_FOR_NS=0 ENABLE_SPE_FOR_NS=0 ENABLE_TRBE_FOR_NS=0"
old_cores='A57\|A72'
case ${TVD_MODE:=} in
'')
	cores=N2
	mode="SPD=tvd ENABLE_SVE_FOR_NS=2 ENABLE_SPE_FOR_NS=2 ENABLE_TRBE_FOR_NS=2" ;;
havmsi)
	cores=$old_cores
	mode="SPD=tvd TVD_HAVMSI=1 BL32_RAM_LOCATION=ndram $armv8" ;;
none)
	cores=$old_cores
	mode="SPD=none $armv8" ;;
*)
	echo "dispatcher/build.sh: no TVD_MODE $TVD_MODE" >&2
	exit 1 ;;
esac
if [ "$TVD_MODE" = none ]; then
	set --
else
	set -- BL32="$svisor" TVD_FAST="${TVD_FAST:=1}" TV_INCLUDE="$top/include" TV_CRYPTO="$top/crypto" \
		TRUSTED_BOARD_BOOT=1 GENERATE_COT=1 MEASURED_BOOT=1 KEY_ALG=ecdsa MBEDTLS_DIR="$mbedtls" \
		TINYCBOR_DIR="$tinycbor" ROT_KEY="$rot_key" \
		TVD_SECRET="$secret" TVD_CERTIFICATE="$certificate" TVD_LIFECYCLE="$lifecycle"
fi
# Every workaround TF-A knows for the machine's cores; those of other revisions do nothing.
errata=$(sed -n "s/^CPU_FLAG_LIST += \\(ERRATA_\\($cores\\)_[0-9]*\\).*/\\1=1/p" "$src/lib/cpus/cpu-ops.mk")

# TF-A keeps no account of changed options, nor of all files that they name.
options="MODE=$TVD_MODE TZC=$TZC_BASE BOOT=$boot FAST=${TVD_FAST-} LIFECYCLE=$lifecycle
$(cat "$rot_key" "$secret" "$certificate" "$top"/crypto/* | sha256sum)"
if [ "$(cat "$out/options" 2>/dev/null)" != "$options" ]; then
	rm -rf "$out/qemu"
	echo "$options" >"$out/options"
fi

# The same input gives the same flash, whoever builds it and when.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}"
# TF-A builds its own tools in SRC: one build of it at a time.
# shellcheck disable=SC2086 # lists of options
flock "$src" make -C "$src" -j"${JOBS:-$(nproc)}" --no-print-directory \
	BUILD_BASE="$out" CROSS_COMPILE="${CROSS_COMPILE-aarch64-linux-gnu-}" \
	PLAT=qemu $mode "$@" $boot $errata \
	QEMU_USE_GIC_DRIVER=QEMU_GICV3 QEMU_SEMIHOSTING=0 QEMU_TZC400_BASE="$TZC_BASE" \
	BUILD_STRING=TwinVisor DEBUG=0 LOG_LEVEL=20 qemu_fw.bios
cp "$out/qemu/release/qemu_fw.bios" "$out/flash.bin.new"
mv "$out/flash.bin.new" "$out/flash.bin"
