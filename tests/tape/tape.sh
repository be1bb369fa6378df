# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tape drives and libraries from a shell.  Sourced by the guest scripts of this folder, after tap.sh.
#
#	tape_attach NAME [ARGUMENT...]	exports a LUN locally; prints its node that does not rewind, /dev/nstN
#	tape_at NODE			prints where the tape is: "FILE BLOCK PARTITION"
#	tape_flags NODE			prints the general status bits that are on, "BOT ONLINE ..."
#	tape_records NODE		prints the lengths of the records up to the next filemark
#	tape_write NODE LENGTH...	writes a record of each length, from $tape_data, and a filemark
#	worker NAME			prints the process id of a LUN's worker
#	another_worker NAME PID		is there another worker than this one?
#	kill_worker NAME [MORE]		kills the worker, but waits first until the runner would start another one, and
#					MORE after that one without waiting

tape_data=/tmp/tape.data

tape_attach() {
	local name=$1 node
	shift
	modprobe st
	node=$(scuse attach "$name" --loop "$@") || return 1
	echo "${node/\/st//nst}"
}

tape_at() {
	mt-st -f "$1" status | sed -nE 's/^File number=(-?[0-9]+), block number=(-?[0-9]+), partition=([0-9]+)\./\1 \2 \3/p'
}

tape_flags() { mt-st -f "$1" status | tail -n 1 | xargs; }

tape_tell() { mt-st -f "$1" tell | sed -nE 's/^At block ([0-9]+)\./\1/p'; }

# One open file for all: closing it after a write leaves a filemark, and after a read skips to the next file.
tape_write() {
	local node=$1 length
	shift
	for length; do
		dd if=$tape_data bs="$length" count=1 status=none || return 1
	done >"$node"
}

tape_records() {
	local lengths=() length
	exec {tape}<"$1" || return 1
	while length=$(dd bs=1M count=1 status=none <&"$tape" | wc -c) && [ "$length" -gt 0 ]; do
		lengths+=("$length")
	done
	exec {tape}<&-
	echo "${lengths[*]}"
}

worker() { scuse show "$1" --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1; }
is_online() { scuse show "$1" --json | grep -q '"state": *"online"'; }
another_worker() { is_online "$1" && [ "$(worker "$1")" != "$2" ]; }

# The runner gives a LUN up that needs more than five restarts in a minute.
declare -A killed_at
kill_worker() {
	local times most=$((5 - ${2:-0}))
	read -r -a times <<<"${killed_at[$1]:-}"
	while [ "${#times[@]}" -ge $most ] && [ $((SECONDS - times[-most])) -le 61 ]; do sleep 1; done
	killed_at[$1]="${times[*]} $SECONDS"
	kill -KILL "$(worker "$1")"
}
