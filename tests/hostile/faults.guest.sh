#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of faults.test: faults.guest.sh ROUNDS
set -uo pipefail
rounds=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/common.sh"
debugfs=/sys/kernel/debug

# Stack traces of what is asked for are no news; allocations that may wait fail too.
for kind in failslab fail_page_alloc; do
	echo 0 >$debugfs/$kind/verbose
	echo N >$debugfs/$kind/ignore-gfp-wait
done
echo N >$debugfs/fail_page_alloc/ignore-gfp-highmem
echo 0 >$debugfs/fail_page_alloc/min-order

# Of ours alone, whoever's task it is: a share of those that have a function of the module in their stack trace.
faults_begin() { # PERCENT
	local begin size kind
	begin=$(cat /sys/module/scuse/sections/.text)
	size=$(awk '$1 == "scuse" { print $2 }' /proc/modules)
	for kind in failslab fail_page_alloc; do
		printf '0x%x' $((begin)) >$debugfs/$kind/require-start
		printf '0x%x' $((begin + size)) >$debugfs/$kind/require-end
		echo 32 >$debugfs/$kind/stacktrace-depth
		echo -1 >$debugfs/$kind/times
		echo "$1" >$debugfs/$kind/probability
	done
}
faults_end() {
	echo 0 >$debugfs/failslab/probability
	echo 0 >$debugfs/fail_page_alloc/probability
}

# What initiators and people do to a LUN; each may fail while memory is short.
use() { # NAME SG
	local sg=$2
	sg_dd if=/dev/zero of="$sg" bs=512 count=256 bpt=64 blk_sgio=1
	sg_dd if="$sg" of=/dev/null bs=512 count=256 bpt=64 blk_sgio=1
	sg_sync "$sg"
	sg_unmap --lba=0 --num=64 --force "$sg"
	sg_write_same --lba=8 --num=16 --in=/dev/zero "$sg"
	sg_verify --lba=0 --count=8 "$sg"
	sg_vpd --page=bl "$sg"
	sg_luns "$sg"
	sg_opcodes "$sg"
	sg_logs --all "$sg"
	sg_modes --all "$sg"
	sdparm --quiet --set D_SENSE=1 --save "$sg"
	sdparm --quiet --set D_SENSE=0 "$sg"
	sg_persist --no-inquiry --out --register --param-sark=0x1 "$sg"
	sg_persist --no-inquiry --out --reserve --param-rk=0x1 --prout-type=5 "$sg"
	sg_persist --no-inquiry --in --read-full-status "$sg"
	sg_persist --no-inquiry --out --clear --param-rk=0x1 "$sg"
	sg_reset --no-esc --device "$sg"
	kill -KILL "$(worker_of "$1")"
	scuse resize "$1" 6M
	scuse ls
	scuse stats
} >/dev/null 2>&1

reads() { timeout 60 sg_dd if="$1" of=/dev/null bs=512 count=8 blk_sgio=1; }

in_use() { # ROUND
	local name=short$1 sg
	check "round $1: create" scuse create "$name" memory --size 8M || return
	sg=$(scuse attach "$name" --loop --sg) || { tap_not_ok "round $1: attach"; return; }
	faults_begin $((1 + $1 % 3 * 5))
	timeout 300 bash -c "$(declare -f use worker_of); use $name $sg"
	faults_end
	check "round $1: the LUN serves when there is memory again" wait_for 90 reads "$sg" || {
		scuse show "$name"
		pkill -HUP -x scuse-runner # it may have been given up, as its worker could not start
		check "round $1: or when the runner is told to try" wait_for 60 reads "$sg"
	}
	faults_begin 10
	timeout 120 scuse rm "$name" --force >/dev/null 2>&1
	faults_end
	[ "$(scuse ls --json | jq "[.. | .name? | select(. == \"$name\")] | length")" = 0 ] ||
		check "round $1: rm" timeout 120 scuse rm "$name" --force
}

dmesg -n 1
modprobe tcm_loop
status=0
"$LAB_BUILD/tests/hostile/hostile-faults" >/tmp/faults.out 2>&1 || status=$?
take_output faults "$status"
if [ -e $debugfs/failslab/require-start ]; then
	for ((round = 1; round <= rounds; round++)); do in_use "$round"; done
fi
check_equal "nothing is left" 0 "$(listed_luns)"
check "no task is stuck" nothing_stuck
tap_done
