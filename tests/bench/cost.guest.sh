#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a command costs, in guest instructions: cost.guest.sh BIN PEER... -- POINT...
#
#	BIN	directory of tcmu-peer
#	PEER	see peers.sh
#	POINT	read|write:SIZE:DEPTH, as read:4k:32
#
# The guest counts instructions (-icount: a nanosecond of its clock is one instruction), so what passes on its clock
# while fio carries out N commands is what these cost, with fio, the initiator and the fabric.  Two runs, of N and
# of 2N commands, and the difference between them: what fio needs for starting and ending a job is in both.  The
# clock is fio's own, in milliseconds; that of a shell would count what fio waits for while it is loaded from the host.
#
# Prints a JSON object a line for each peer and point.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/lio.sh"
. "$here/peers.sh"

peers_bin=$1
shift
peers=() points=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do peers+=("$1") && shift; done
shift
points=("$@")

in_bytes() { numfmt --from=iec "${1^^}"; }

# More for small transfers: a point takes about the same time, whatever its size.
commands_for() { # SIZE DEPTH
	local bytes
	bytes=$(in_bytes "$1")
	if [ "$bytes" -le 16384 ]; then echo 4096; else echo $((67108864 / bytes)); fi
}

run_fio() { # DISK OPERATION SIZE DEPTH COMMANDS
	local bytes
	bytes=$(in_bytes "$3")
	fio --name=cost --filename="$1" --rw="rand$2" --bs="$bytes" --iodepth="$4" --ioengine=libaio --direct=1 \
		--size=48m --io_size=$((bytes * $5)) --norandommap --randrepeat=1 --randseed=7 --gtod_reduce=1 \
		--thread --output-format=json --output=/tmp/fio.out || {
		cat /tmp/fio.out >&2
		return 1
	}
}

# Milliseconds of the clock, each 10^6 instructions.
fio_runtime() { jq ".jobs[0].$1.runtime" /tmp/fio.out; }

switches() { awk '/^ctxt/ { print $2 }' /proc/stat; }

measure() { # PEER DISK POINT
	local operation size depth commands once twice before after counters
	IFS=: read -r operation size depth <<<"$3"
	commands=$(commands_for "$size" "$depth")
	run_fio "$2" "$operation" "$size" "$depth" "$commands" || return 1 # warms all up
	run_fio "$2" "$operation" "$size" "$depth" "$commands" || return 1
	once=$(fio_runtime "$operation")
	before=$(switches)
	run_fio "$2" "$operation" "$size" "$depth" $((2 * commands)) || return 1
	after=$(switches) twice=$(fio_runtime "$operation")
	counters=$(counters_of "$1" "$2" "$operation" "$size" "$depth" "$commands")
	printf '{"peer":"%s","operation":"%s","size":"%s","depth":%s,"commands":%s,"instructions":%s,"switches":%s%s}\n' \
		"$1" "$operation" "$size" "$depth" "$commands" $(((twice - once) * 1000000 / commands)) \
		"$(awk -v n=$((after - before)) -v c=$((2 * commands)) 'BEGIN { printf "%.3f", n / c }')" "$counters"
}

# System calls of the process that serves, by a run of their own: counting costs instructions.
tracing=/sys/kernel/tracing
counters_of() { # PEER DISK OPERATION SIZE DEPTH COMMANDS
	local worker trigger=$tracing/events/raw_syscalls/sys_enter/trigger calls tasks
	worker=$(peers_worker "$1")
	[ -n "$worker" ] || return 0
	echo 'hist:key=common_pid' >"$trigger"
	run_fio "$2" "$3" "$4" "$5" "$6" || return 1
	tasks=$(printf '%s|' /proc/"$worker"/task/* | sed 's,/proc/[0-9]*/task/,,g; s/|$//')
	calls=$(sed -nE "s/.*common_pid: *($tasks) .*hitcount: *([0-9]+).*/\2/p" \
		"$tracing/events/raw_syscalls/sys_enter/hist" | awk '{ sum += $1 } END { print sum + 0 }')
	echo '!hist:key=common_pid' >"$trigger"
	awk -v n="$calls" -v c="$6" 'BEGIN { printf ",\"syscalls\":%.3f", n / c }'
}

mount -t tracefs none "$tracing" 2>/dev/null
modprobe -a sg sd_mod
status=0
for peer in "${peers[@]}"; do
	disk=$(peers_make "$peer") || { echo "cannot make $peer" >&2; status=1; continue; }
	echo none >"/sys/block/${disk#/dev/}/queue/scheduler"
	for point in "${points[@]}"; do
		measure "$peer" "$disk" "$point" || { echo "cannot measure $peer $point" >&2; status=1; }
	done
done
exit $status
