#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of atomic.test: atomic.guest.sh SECONDS
set -uo pipefail
seconds=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/lio.sh"
program=$LAB_BUILD/tests/conformance/atomic/atomic-check
initiators=(iqn.2026-01.org.scuse:atomic{0,2,3}) # of the targets as given below, 1 being the local one
dmesg -n 1 # LIO tells of each CDB that it refuses

# Runs the program; its checks count as ours.
take_checks() { # NAME TARGET...
	local name=$1 status=0 out=/tmp/$1.out
	shift
	timeout $((seconds + 100)) "$program" "$seconds" "$@" >"$out" 2>&1 || status=$?
	sed "s/^\(ok\|not ok\) - /\1 - $name: /" "$out"
	tap_count=$((tap_count + $(grep -cE '^(not )?ok ' "$out")))
	tap_failed=$((tap_failed + $(grep -c '^not ok ' "$out")))
	if [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$out"; then
		tap_not_ok "$name: the program ends well" "exit status $status"
	fi
}

for handler in memory file; do
	parameters=()
	[ "$handler" = memory ] || parameters=(/tmp/atomic.img create=true)
	check "$handler: a LUN" scuse create "$handler" "$handler" "${parameters[@]}" --size 16M || continue
	loop=$(scuse attach "$handler" --loop) || { tap_not_ok "$handler: attach --loop"; continue; }
	url=$(scuse attach "$handler" --iscsi) || { tap_not_ok "$handler: attach --iscsi"; continue; }
	check "$handler: the sessions are not pinged" lio_acl "$url" "${initiators[@]}"
	take_checks "$handler" "$url" "$loop" "$url" "$url"
	check "$handler: the access lists are removed" lio_drop_acls "$url"
	check "$handler: the LUN is removed" scuse rm "$handler" --force
done

# The worker dies while commands wait for each other: they end, the next worker serves them, and the LUN can go.
check "killed: a LUN" scuse create killed memory --size 16M || tap_done
loop=$(scuse attach killed --loop) || { tap_not_ok "killed: attach --loop"; tap_done; }
url=$(scuse attach killed --iscsi) || { tap_not_ok "killed: attach --iscsi"; tap_done; }
check "killed: the sessions are not pinged" lio_acl "$url" "${initiators[@]}"
timeout $((seconds + 100)) "$program" "$seconds" "$url" "$loop" "$url" "$url" >/tmp/killed.out 2>&1 &
pid=$!
for _ in 1 2 3; do
	sleep $((seconds / 5))
	worker=$(scuse show killed --json | jq -r '.. | .pid? // .worker? // empty' | head -1)
	kill -9 "$worker"
done
status=0
wait "$pid" || status=$?
check "killed: every command has ended" [ "$status" -ne 124 ]
check "killed: the LUN serves on" wait_for 30 sg_turs "$loop"
check "killed: the access lists are removed" lio_drop_acls "$url"
check "killed: the LUN is removed" scuse rm killed --force
tap_done
