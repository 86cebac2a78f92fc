# SPDX-License-Identifier: BSD-3-Clause
# Every target does what it needs first; `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help run test test-full fuzz size clean distclean format lint root qemu tfa svisor linux host guest tools all

# Given on the command line, these reach the scripts through the environment.
export CMD TIMEOUT SUITES FUZZ_SECONDS QEMU_SRC TFA_SRC LINUX_SRC MBEDTLS_SRC NONINTERACTIVE

help:
	@sed -n 's/^#: //p' Makefile

#: TwinVisor: confidential VMs on Arm machines that have Secure EL2
#:
#:   make run          build all, boot the server, run the main job, give a prompt
#:   make run CMD='…'  the same, but run that command there, fail if it fails (its status: scripts/run)
#:   make test         build all and run every test; SUITES='unit …' picks some
#:   make test-full    the same, then takes every check of the S-visor out: a test must fail
#:   make fuzz         drives the S-visor with hostile input; FUZZ_SECONDS=600 says for how long
#:   make size         code lines by part, and whether they keep their limits
#:   make format       rewrite our C files in the project's style
#:   make lint         check style, shell scripts and C without changing anything
#:   make clean        remove what was built, keep tools, downloads and ccache
#:   make distclean    remove build/ altogether
#:
#: One part alone:
#:   make root         the Debian 13 tool root under build/root, in which all is built
#:   make qemu tfa svisor linux guest tools host
#:
#: Offline, QEMU_SRC= TFA_SRC= LINUX_SRC= MBEDTLS_SRC= name a source directory or tarball.
#: Of a run: TIMEOUT=seconds bounds a command; NONINTERACTIVE=1 gives no prompt.

root:
	@scripts/tool-root

qemu tfa svisor linux host guest tools: root
	@scripts/in-root scripts/build $@

all: root
	@scripts/in-root scripts/build all

run: all
	@scripts/in-root platform/qemu-virt/run

test: all
	@scripts/in-root tests/run $(SUITES)

test-full: test
	@scripts/in-root tests/unit/mutate

fuzz: svisor
	@scripts/in-root tests/fuzz/run

size: root
	@scripts/in-root scripts/size

format lint: root
	@scripts/in-root scripts/$@

clean distclean:
	@scripts/clean $@
