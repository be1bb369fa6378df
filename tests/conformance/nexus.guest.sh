#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of nexus.test and nexus_raw.test: nexus.guest.sh [ROUND [GROUP...]]; rounds are memory, file, orders,
# raw (a disk of scsi_debug, passed through), types (devices of other types likewise), and stock, which is not run unless asked for.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../lab/guest/tap.sh
. "$here/../lab/guest/tap.sh"
# shellcheck source=nexus/setup.sh
. "$here/nexus/setup.sh"

program=$LAB_BUILD/tests/conformance/nexus/nexus-test

# run_round NAME OPTIONS... -- GROUPS...
run_round() {
	local round=$1 status=0
	shift
	check "$round: the LUN is exported" setup_up || tap_done
	timeout -k 10 600 "$program" --target "$SETUP_IQN" --portal1 "$SETUP_PORTAL_1" --portal2 "$SETUP_PORTAL_2" \
		--sg "$(setup_sg)" --hook "$here/nexus/setup.sh" --blocks $((SETUP_SIZE / 512)) \
		--expect "$here/nexus.expected" --round "$round" "$@" || status=$?
	if [ "$status" -gt 1 ]; then
		tap_not_ok "$round: nexus-test ran to its end" "exit status $status"
	elif [ "$status" -eq 1 ]; then
		tap_failed=$((tap_failed + 1)) # it has said so itself
	fi
	check "$round: the LUN is removed" setup_down
}

export SETUP_LUN=nexus SETUP_SIZE=16777216 SETUP_CREATE
install_plugin() {
	cp "$LAB_BUILD/tests/conformance/nexus/nexus-test.so" "$SCUSE_PLUGIN_DIR/" && pkill -HUP -x scuse-runner && sleep 2
}

round_memory() {
	SETUP_CREATE="memory --size $SETUP_SIZE"
	run_round memory "$@"
}

round_file() {
	truncate -s "$SETUP_SIZE" /tmp/nexus.img
	SETUP_CREATE="file path=/tmp/nexus.img --size $SETUP_SIZE"
	run_round file "$@"
}

round_orders() {
	check "orders: the test handler is installed" install_plugin
	mkfifo -m 666 /tmp/nexus.control
	SETUP_CREATE="nexus-test control=/tmp/nexus.control --size $SETUP_SIZE"
	run_round orders --control /tmp/nexus.control "$@"
}

# A disk of scsi_debug, passed through.  It counts in GiB, has neither timestamps nor LOG SELECT, and of the mode pages
# lets WCE and D_SENSE be changed.
round_raw() {
	modprobe -a sg sd_mod && modprobe scsi_debug dev_size_mb=16 virtual_gb=1 lbpu=1 delay=0 &&
		wait_for 20 real_disk || tap_done
	SETUP_REAL=$(real_disk) SETUP_SIZE=1073741824
	SETUP_CREATE="sg path=$SETUP_REAL timeout=5"
	export SETUP_REAL
	cat "$here/nexus.expected" "$here/nexus_raw.expected" >/tmp/nexus.expected
	run_round raw --real --toggle 08:2:04 --expect /tmp/nexus.expected "$@"
	check "raw: scsi_debug unloads: the device was given back" wait_for 20 modprobe -r scsi_debug
}

# Devices of other types: what nexus/types.c asks of all.
round_types() {
	local type sg
	modprobe -a sg sd_mod sr_mod st
	for type in 1 5 8; do
		modprobe scsi_debug ptype="$type" dev_size_mb=16 delay=0
		wait_for 20 real_sg || tap_done
		sg=$(real_sg)
		# With more logical units than before its inventory has changed.
		types_on "type-$type" "$sg" "path=$sg timeout=5" "echo 2 >/sys/bus/pseudo/drivers/scsi_debug/max_luns"
		rmmod ch 2>/dev/null
		check "type-$type: the device was given back" wait_for 20 modprobe -r scsi_debug
	done
	# A tape drive of ours, which forgets what it was doing when its worker dies.
	check "vtape: a tape drive" scuse create inner vtape path=/tmp/types.tape create=true
	sg=$(scuse attach inner --loop --sg)
	types_on vtape "$sg" "path=$sg" "kill -KILL $(worker_of inner); sleep 5"
	check "vtape: the tape drive is removed" scuse rm inner --force
}

# types_on ROUND NODE PARAMETERS HAPPENING
types_on() {
	SETUP_REAL=$2 SETUP_CREATE="sg $3" SETUP_HAPPEN=$4
	export SETUP_REAL SETUP_HAPPEN
	run_round "$1" --real types
}
real_sg() { lsscsi -g | sed -n 's,.*scsi_debug.*\(/dev/sg[0-9]*\).*,\1,p' | grep .; }
worker_of() { scuse show "$1" --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1; }

# /dev/sdX of scsi_debug, which is not in use by anybody yet.
real_disk() { lsscsi | sed -n 's,.*scsi_debug.*\(/dev/sd[a-z]*\).*,\1,p' | grep .; }

# For comparison only: LIO's own ramdisk.  What is "not ok" is where it answers otherwise than our LUNs do.
round_stock() {
	SETUP_CREATE=stock
	run_round stock "$@"
}

case ${1:-short} in
short)
	round_memory events reservations persistent conflicts management
	round_orders events management
	;;
all)
	round_memory events reservations persistent conflicts management
	round_file events reservations persistent
	round_orders events management
	;;
real)
	round_raw events reservations persistent conflicts passthrough
	round_types
	;;
*) "round_$1" "${@:2}" ;;
esac
check "the module unloads" wait_for 20 sh -c 'pkill -TERM -x scuse-runner; rmmod scuse'
tap_done
