# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the guest scripts of this directory share: a neighbour, that is a LUN which is served properly and must notice
# nothing of what is done beside it.  Sourced after tap.sh.
#
#	take_output NAME STATUS		prints /tmp/NAME.out; its cases count as ours
#	neighbour_begin MEGABYTES	creates it, and a load that writes and verifies until...
#	neighbour_end			... this, which judges it
#	runner_is_well			the same runner as at the beginning answers

# shellcheck disable=SC2034 # for those who source this
core=/sys/kernel/config/target/core
# shellcheck disable=SC2034
plugin_dir=${SCUSE_PLUGIN_DIR:-}

take_output() {
	local cases failed
	cat "/tmp/$1.out"
	cases=$(grep -cE '^(not )?ok ' "/tmp/$1.out")
	failed=$(grep -c '^not ok ' "/tmp/$1.out")
	tap_count=$((tap_count + cases))
	tap_failed=$((tap_failed + failed))
	if [ "$2" -ne 0 ] && [ "$failed" -eq 0 ]; then
		tap_not_ok "$1: the program ends well" "exit status $2"
	fi
}

worker_of() { scuse show "$1" --json | jq -r '.pid // 0'; }
is_online() { [ "$(scuse show "$1" --json | jq -r .state)" = online ]; }

# Written by turns with different contents, and read back each time.
neighbour_load() { # DISK MEGABYTES
	while [ -e /tmp/neighbour.run ]; do
		fio --name=neighbour --filename="$1" --ioengine=libaio --direct=1 --iodepth=8 --rw=randwrite --bs=4k \
			--size="$2M" --io_size=1M --verify=crc32c --verify_fatal=1 --randrepeat=0 --minimal \
			>/tmp/neighbour.fio 2>&1 || return 1
		echo round >>/tmp/neighbour.rounds
	done
}

neighbour_begin() {
	local disk
	runner_pid=$(pgrep -o -x scuse-runner)
	check "a neighbour" scuse create neighbour memory --size "$1M" || return 1
	disk=$(scuse attach neighbour --loop) || return 1
	neighbour_pid=$(worker_of neighbour)
	: >/tmp/neighbour.rounds
	touch /tmp/neighbour.run
	neighbour_load "$disk" "$1" &
	neighbour_job=$!
}

neighbour_end() {
	local status=0
	rm -f /tmp/neighbour.run
	wait "$neighbour_job" || status=$?
	check_equal "what the neighbour was written, it has" 0 "$status" || cat /tmp/neighbour.fio
	check "it was busy meanwhile ($(wc -l </tmp/neighbour.rounds) rounds)" test -s /tmp/neighbour.rounds
	check_equal "its worker is the same" "$neighbour_pid" "$(worker_of neighbour)"
	check "the neighbour is removed" timeout 120 scuse rm neighbour --force
}

runner_is_well() {
	check_equal "the runner is the same" "$runner_pid" "$(pgrep -o -x scuse-runner)"
	check "and answers" timeout 60 sh -c 'scuse handlers | grep -q memory'
}

# Tasks that wait uninterruptibly now and still do a while later; the kernel's own threads come and go.
nothing_stuck() {
	local before
	for _ in 1 2 3 4 5 6 7 8; do
		before=$(ps -eo stat=,pid=,comm= | awk '$1 ~ /^D/ { print $2, $3 }')
		[ -z "$before" ] && return 0
		sleep 2
	done
	echo "$before"
	return 1
}
