# shellcheck shell=sh
# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the tests in the guest. The last line of each is 'guest: NAME ok', or the one of fail().

test=${0##*/}
log=/tmp/$test.log

say() {
	echo "guest: $test: $*"
}

# The end of what the last command said goes along.
fail() {
	[ ! -s "$log" ] || tail -n 20 "$log"
	echo "guest: $test FAILED: $*"
	exit 1
}

well() {
	echo "guest: $test ok"
	exit 0
}

# Runs a command that is to succeed; what it says is in $log.
must() {
	"$@" >"$log" 2>&1 || fail "$1 ended with $?: $*"
}

# parameter NAME [DEFAULT]: tv.NAME= of the kernel's command line
parameter() {
	# shellcheck disable=SC2013 # words are what is wanted
	for word in $(cat /proc/cmdline); do
		case $word in
		"tv.$1="*)
			echo "${word#*=}"
			return
			;;
		esac
	done
	echo "${2-}"
}

seconds() {
	cut -d ' ' -f 1 /proc/uptime
}

# took BEGIN: seconds since then
took() {
	awk "BEGIN { printf \"%.1f s\", $(seconds) - $1 }"
}

# The address of the network device, and the way out.
network() {
	[ -e "/sys/class/net/${nic:=eth0}" ] || fail "no $nic"
	must ip link set "$nic" up
	must ip addr replace "$(parameter ip 10.0.2.15/24)" dev "$nic"
	gw=$(parameter gw 10.0.2.2)
	must ip route replace default via "$gw"
}
