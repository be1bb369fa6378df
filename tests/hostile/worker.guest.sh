#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of worker.test: worker.guest.sh SECONDS [SEED [ARGUMENT...]]
set -uo pipefail
seconds=$1 seed=${2:-}
shift $(($# < 2 ? $# : 2))
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/common.sh"
program=$LAB_BUILD/tests/hostile/hostile-worker
megabytes=16
dir=$core/scuse_0/rogue

# A handler that no runner has: whoever opens the node serves it.
make_rogue() {
	mkdir -p "$dir" || return 1
	printf '%s\n' handler=rogue-by-hand size=$((megabytes << 20)) queues=2 depth=16 max_transfer=131072 >"$dir/control" || return 1
	echo 1 >"$dir/enable" || return 1
	# Commands that come between two sessions are not to wait for minutes.
	echo 2 >"$dir/attrib/orphan_timeout"
}

dmesg -n 1
neighbour_begin 16 || tap_done
check "a LUN that nobody serves" make_rogue || tap_done
id=$(scuse show rogue --json | jq .id)
check "it has a node" wait_for 30 test -c "/dev/scuse$id"
# What adds a disk asks it a few things.
"$program" --honest "/dev/scuse$id" &
honest=$!
sg=$(scuse attach rogue --loop --sg) || { tap_not_ok "attach"; tap_done; }
kill -KILL "$honest"

status=0
"$program" --seconds "$seconds" ${seed:+--seed "$seed"} "$@" \
	"/dev/scuse$id" "$sg" $((megabytes << 11)) >/tmp/worker.out 2>&1 || status=$?
take_output worker "$status"

check "the kernel says why it killed" sh -c 'dmesg | grep "rogue: the session of process .* is revoked: "'
dmesg | sed -n 's/.*rogue: the session of process .* is revoked: \([^(]*\).*/\1/p' | sort | uniq -c | sed 's/^/# /'
neighbour_end
runner_is_well
check "the rogue's LUN is removed" timeout 120 scuse rm rogue --force
check "no task is stuck" nothing_stuck
tap_done
