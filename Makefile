# SPDX-License-Identifier: BSD-3-Clause
# Every target does what it needs first; `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help run demo-secret test test-full test-kvm test-stress test-mem bench bench-mem bench-io fuzz size clean distclean format lint root qemu tfa svisor linux host guest tools all

# Given on the command line, these reach the scripts through the environment.
export MODE TV_CPU BENCH BENCH_PROFILE BENCH_IO BENCH_IO_PROFILE CMD TIMEOUT SUITES FUZZ_SECONDS MINUTES SEED QEMU_SRC TFA_SRC LINUX_SRC MBEDTLS_SRC TINYCBOR_SRC LIBCBOR_SRC NONINTERACTIVE
export ROT_KEY DEVICE_SECRET DEVICE_ROOT DEVICE_ROOT_KEY DEVICE_CERT

help:
	@sed -n 's/^#: //p' Makefile

#: TwinVisor: confidential VMs on Arm machines that have Secure EL2
#:
#:   make run          build all, boot the server, run the main job, give a prompt
#:   make run CMD='…'  the same, but run that command there, fail if it fails (its status: scripts/run)
#:   make demo-secret  a tenant's verifier gives a disk's key to the S-VM that it is for, and refuses it to the host
#:   make test         build all and run every test; SUITES='unit …' picks some
#:   make test-full    the same; what takes long of guests, io, smp and system; 16 stock S-VMs at once; millions
#:                     of operations on memory against a model; then takes every check of the S-visor
#:                     out: a test must fail
#:   make test-kvm     Linux's own KVM selftests, on our kernel and on a vanilla one: the same results;
#:                     TESTS='psci_test …' picks some
#:   make test-stress  VMs of both kinds come, work, reboot and are killed at random for MINUTES (10);
#:                     SEED=n draws the same ones again
#:   make test-mem     S-VMs under memory load, while chunks are claimed, moved and returned, for
#:                     MINUTES (10)
#:   make bench        what an S-VM's exits cost beside an N-VM's, in instructions, what applications do, and
#:                     several S-VMs at once: tables, build/bench/results.json, and plots results.svg, apps.svg
#:                     and scale.svg; in an hour; BENCH='hypercall app.redis scale.vms …' picks some,
#:                     BENCH=quick is a first look
#:   make bench-mem    what it costs to move memory between the worlds, in instructions: a table,
#:                     build/bench/mem.json and mem.svg
#:   make bench-io     the same of disks and networks, io.json and io.svg; BENCH_IO='redis …' picks some
#:   make fuzz         drives the S-visor with hostile input; FUZZ_SECONDS=600 says for how long
#:   make size         code lines by part, and whether they keep their limits
#:   make format       rewrite our C files in the project's style
#:   make lint         check style, shell scripts and C without changing anything
#:   make clean        remove what was built, keep tools, downloads and ccache
#:   make distclean    remove build/ altogether
#:
#: Without Secure EL2 (docs/havmsi.md), on Cortex-A57, or on the cores that TV_CPU= names (cortex-a72):
#:   make run MODE=havmsi    as above
#:   make test MODE=havmsi   the tests of this mode; SUITES='…' picks others
#:   make bench MODE=havmsi  what exits cost beside those of a host that protects nothing
#:
#: One part alone:
#:   make root         the Debian 13 tool root under build/root, in which all is built
#:   make qemu tfa svisor linux guest tools host
#:
#: Offline, QEMU_SRC= TFA_SRC= LINUX_SRC= MBEDTLS_SRC= TINYCBOR_SRC= LIBCBOR_SRC= name a source directory or tarball.
#: ROT_KEY= signs the firmware, DEVICE_SECRET= is the machine's; docs/boot.md has these and the others.
#: Of a run: TIMEOUT=seconds bounds a command; NONINTERACTIVE=1 gives no prompt.

root:
	@scripts/tool-root

qemu tfa svisor linux host guest tools: root
	@scripts/in-root scripts/build $@

all: root
	@scripts/in-root scripts/build all

run: all
	@scripts/in-root platform/qemu-virt/run

demo-secret: all
	@scripts/in-root scripts/build secret
	@scripts/in-root tools/secret/demo

test: root
	@scripts/in-root scripts/build tested
	@scripts/in-root tests/run $(or $(SUITES),$(if $(MODE),havmsi hosted))

test-kvm: all
	@scripts/in-root scripts/build linux-vanilla kvm-tests
	@scripts/in-root tests/kvm/compare $(TESTS)

test-stress: all
	@scripts/in-root scripts/build guest-tools
	@scripts/in-root tests/stress/stress

test-mem: all
	@scripts/in-root tests/mem/stress

bench: all
	@scripts/in-root scripts/build bench-disk $(if $(MODE),,tfa-slow)
	@scripts/in-root bench/micro/run
	@scripts/in-root bench/apps/run
	@$(if $(MODE),,scripts/in-root bench/apps/scale)

bench-mem: all
	@scripts/in-root bench/mem/run

bench-io: all
	@scripts/in-root scripts/build guest-disk
	@scripts/in-root bench/io/run

test-full: test
	@scripts/in-root TV_FULL=1 tests/run guests io smp system
	@scripts/in-root tests/many/full
	@scripts/in-root MODEL_OPERATIONS=2000000 tests/model/run
	@scripts/in-root tests/unit/mutate

fuzz: svisor
	@scripts/in-root tests/fuzz/run

size: root
	@scripts/in-root scripts/size

format lint: root
	@scripts/in-root scripts/$@

clean distclean:
	@scripts/clean $@
