#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of worker_death.test: worker_death.guest.sh PLUGINS
set -uo pipefail
plugins=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

worker() { scuse show "$1" --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1; }
is_online() { scuse show "$1" --json | grep -q '"state": *"online"'; }
another_worker() { is_online "$1" && [ "$(worker "$1")" != "$2" ]; }
# Tasks that wait uninterruptibly now and still do a moment later; the kernel's own threads come and go.
stuck() { ps -eo stat=,pid=,comm= | awk '$1 ~ /^D/ { print $2, $3 }'; }
nothing_stuck() {
	local i
	for i in 1 2 3 4 5; do
		[ -z "$(stuck)" ] && return 0
		sleep 1
	done
	stuck
	return 1
}

cp "$plugins"/*.so "$SCUSE_PLUGIN_DIR/" && pkill -HUP -x scuse-runner && sleep 2

truncate -s 64M /tmp/disk.img
check "a LUN on a file" scuse create d file path=/tmp/disk.img --size 64M
disk=$(scuse attach d --loop)
for round in 1 2 3; do
	first=$(worker d)
	# The data outlives the worker, so what was acknowledged must verify; retries are the initiator's business.
	fio --name=kill --filename="$disk" --ioengine=libaio --direct=1 --iodepth=16 --rw=randrw --bs=4k --size=32M \
		--io_size=6M --verify=crc32c --verify_fatal=1 --minimal --output=/tmp/fio.out &
	fio=$!
	sleep 3
	kill -KILL "$first"
	check "round $round: the runner starts another worker" wait_for 30 another_worker d "$first"
	status=0
	wait "$fio" || status=$?
	check_equal "round $round: fio, which had its worker killed, ends without an error" 0 "$status"
	check "round $round: no task is stuck" nothing_stuck
done

check "a LUN whose reads hang" scuse create h hang-in-read --size 64M
hung=$(scuse attach h --loop)
timeout 120 dd if="$hung" bs=64k count=1 skip=32 iflag=direct status=none of=/dev/null 2>/tmp/dd.err &
reader=$!
sleep 2
first=$(worker h)
kill -KILL "$first"
check "its worker is replaced" wait_for 30 another_worker h "$first"
pkill -TERM -x scuse-runner
check "the runner ends, with all its workers" wait_for 30 sh -c '! pgrep -x scuse-runner && ! pgrep -f -- "[-]-worker"'
# Nobody serves now, and nobody will.
for policy in /sys/kernel/config/target/core/scuse_*/*/attrib/orphan_policy; do
	echo error >"$policy"
done
check "a reader of a LUN that nobody serves comes back" wait_for 100 sh -c "! kill -0 $reader"
wait "$reader"
check "its LUN can be removed all the same" timeout 120 scuse rm h --force
check "and the other" timeout 120 scuse rm d --force
check "no task is stuck" nothing_stuck
check "the module unloads" wait_for 20 rmmod scuse
tap_done
