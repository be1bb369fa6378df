#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of plugins.test: plugins.guest.sh PLUGINS short|long
set -uo pipefail
plugins=$1 form=$2
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/common.sh"
log=/run/scuse-runner.log
number=0

# ---- before the LUN serves: `scuse create` fails, and says who did what where ----

not_created() { # HANDLER WHEN HOW PATTERN
	number=$((number + 1))
	check_fails "$1, $2: $3" "$4" timeout 100 scuse create "lun$number" "$1" when="$2" how="$3" --size 8M
	check_equal "$1, $2: $3: nothing is left of it" 0 "$(scuse ls --json | jq "[.. | .name? | select(. == \"lun$number\")] | length")"
}

before_it_serves() {
	local when how handler
	for handler in rogue rogue-async; do
		for when in open start; do
			not_created "$handler" "$when" crash "handler $handler crashed in $when .*SEGV"
			not_created "$handler" "$when" exit "handler $handler ended in $when with exit status 7"
		done
	done
	for when in validate probe; do
		for how in crash abort; do
			not_created rogue "$when" "$how" "handler rogue crashed in $when"
		done
		not_created rogue "$when" fail "$when fails, as it was told to"
	done
	not_created rogue-async queue_open crash "handler rogue-async crashed"
	not_created rogue-async queue_open fail "queue_open fails, as it was told to|I/O error|error"
	not_created rogue open hang "handler rogue did not finish open within"
	[ "$form" = long ] || return 0
	for when in validate open probe start; do
		not_created rogue "$when" spin "handler rogue did not finish $when within"
		not_created rogue "$when" hang "handler rogue did not finish $when within"
	done
}

# ---- while it serves: the LUN comes back, and has what it had acknowledged where the handler's memory is the same ----

# One command of each kind; it may fail.
use() { # SG WHEN
	case $2 in
	read | queue_submit) timeout 60 sg_dd if="$1" of=/dev/null bs=512 count=8 blk_sgio=1 ;;
	write) timeout 60 sg_dd if=/dev/zero of="$1" bs=512 count=8 blk_sgio=1 ;;
	flush) timeout 60 sg_sync "$1" ;;
	unmap) timeout 60 sg_unmap --lba=0 --num=64 --force "$1" ;;
	reset) timeout 60 sg_reset --no-esc --device "$1" ;;
	esac
} >/dev/null 2>&1

reads() { timeout 60 sg_dd if="$1" of=/dev/null bs=512 count=8 blk_sgio=1; }

# What it was told to do is over: it serves, with another worker or the same.
serves_again() { # NAME SG
	wait_for 60 is_online "$1" && wait_for 60 reads "$2"
}

while_it_serves() { # HANDLER WHEN HOW PATTERN(of the runner's log; may be empty)
	local name what="$1, $2: $3" sg from
	number=$((number + 1))
	name=lun$number
	rm -f /tmp/trigger
	check "$what: create" scuse create "$name" "$1" when="$2" how="$3" trigger=/tmp/trigger --size 8M || return
	# A command that is stuck is taken away from the handler within seconds.
	for setting in command_timeout=4 tmf_timeout=3; do
		echo "${setting#*=}" >"$core/scuse_0/$name/attrib/${setting%=*}"
	done
	sg=$(scuse attach "$name" --loop --sg) || { tap_not_ok "$what: attach"; return; }
	from=$(wc -l <$log)
	touch /tmp/trigger
	use "$sg" "$2" &
	wait_for 30 test ! -e "/proc/$(worker_of "$name")" || true
	rm -f /tmp/trigger
	wait $!
	check "$what: the LUN serves" serves_again "$name" "$sg"
	[ -z "$4" ] || check "$what: the log says so" wait_for 10 sh -c "tail -n +$((from + 1)) $log | grep -Eq '$4'"
	check "$what: rm" timeout 60 scuse rm "$name" --force
}

serving() {
	local when
	while_it_serves rogue read crash 'handler rogue crashed'
	while_it_serves rogue write exit 'handler rogue ended .*status 7'
	while_it_serves rogue flush hang 'killed'
	while_it_serves rogue read spin 'killed'
	while_it_serves rogue read close ''
	while_it_serves rogue unmap fork ''
	while_it_serves rogue-async read never 'killed'
	while_it_serves rogue-async write twice ''
	while_it_serves rogue-async flush crash 'handler rogue-async crashed'
	[ "$form" = long ] || return 0
	while_it_serves rogue write leak ''
	while_it_serves rogue reset crash 'handler rogue crashed'
	while_it_serves rogue-async queue_submit crash 'handler rogue-async crashed'
	while_it_serves rogue-async queue_submit hang 'killed'
	for when in read write flush unmap; do
		while_it_serves rogue "$when" crash 'handler rogue crashed'
		while_it_serves rogue "$when" hang 'killed'
		while_it_serves rogue "$when" fork ''
		while_it_serves rogue-async "$when" never 'killed'
		while_it_serves rogue-async "$when" twice ''
		while_it_serves rogue-async "$when" abort 'handler rogue-async crashed'
	done
}

# ---- at its end: it goes all the same ----

at_its_end() { # HANDLER WHEN HOW
	number=$((number + 1))
	check "$1, $2: $3: create" scuse create "lun$number" "$1" when="$2" how="$3" --size 8M || return
	check "$1, $2: $3: rm" timeout 60 scuse rm "lun$number"
}

# ---- always: the runner gives up, says so, and starts it again when it is asked to ----

gives_up() {
	local sg from
	touch /tmp/trigger
	scuse create hopeless memory --size 8M >/dev/null && scuse rm hopeless >/dev/null
	rm -f /tmp/trigger
	check "a handler that always crashes: create" scuse create hopeless rogue when=start how=crash trigger=/tmp/trigger --size 8M || return
	sg=$(scuse attach hopeless --loop --sg) || { tap_not_ok "attach"; return; }
	from=$(wc -l <$log)
	touch /tmp/trigger
	kill -KILL "$(worker_of hopeless)"
	check "it is given up, with the reason" wait_for 60 sh -c "tail -n +$((from + 1)) $log | grep -Eq 'crashed in start.*no longer|crashed in start.*(gives? up|given up|tries again)'"
	rm -f /tmp/trigger
	pkill -HUP -x scuse-runner
	check "and serves when the runner is told to try again" serves_again hopeless "$sg"
	check "rm" timeout 60 scuse rm hopeless --force
}

dmesg -n 1
cp "$plugins"/*.so "$plugin_dir/" && pkill -HUP -x scuse-runner
check "the runner knows the handlers" wait_for 20 sh -c 'scuse handlers | grep -q rogue-async'
neighbour_begin 16 || tap_done
before_it_serves
serving
for how in crash exit fork; do
	at_its_end rogue stop $how
	at_its_end rogue close $how
done
at_its_end rogue stop hang
[ "$form" = short ] || at_its_end rogue close spin
gives_up
neighbour_end
runner_is_well
check_equal "nothing is left" 0 "$(listed_luns)"
check "no task is stuck" nothing_stuck
tap_done
