# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# Sourced by the scripts that run outside the tool root.

# shellcheck disable=SC2034 # for those who source this file
top=$(cd "$(dirname "$0")/.." && pwd -P)
build=$top/build
tool_root=$build/root

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# What a user may set for a run; passed on by name, everything else is left outside.
passed="MODE TV_CPU CMD TIMEOUT SUITES FUZZ_SECONDS BENCH BENCH_PROFILE BENCH_IO BENCH_IO_PROFILE MINUTES SEED NONINTERACTIVE CI JOBS TERM http_proxy https_proxy no_proxy"
keys="ROT_KEY DEVICE_SECRET DEVICE_ROOT DEVICE_ROOT_KEY DEVICE_CERT"
sources="QEMU_SRC TFA_SRC LINUX_SRC MBEDTLS_SRC TINYCBOR_SRC LIBCBOR_SRC $keys"

# Starts the calling script again as root, with the same arguments.
need_root() {
	[ "$(id -u)" = 0 ] && return
	command -v sudo >/dev/null || die "needs root: run it as root, or install sudo"
	for v in $passed $sources; do
		eval "value=\${$v-}"
		[ -z "$value" ] || set -- "$v=$value" "$@"
	done
	exec sudo env TV_OWNER="$(id -u):$(id -g)" "$@"
}
