#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of many.test: many.guest.sh COUNT
set -uo pipefail
count=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

in_parallel() { # COMMAND... with @ replaced by the number; four at a time, as many as an administrator's script would
	local i
	for i in $(seq "$count"); do echo "$i"; done | xargs -P 4 -I@ "$@"
}

write_and_read_back() {
	local i device
	for i in $(seq "$count"); do
		device=$(cat "/tmp/many-$i") || return 1
		yes "lun $i" | head -c 65536 >/tmp/pattern
		dd if=/tmp/pattern of="$device" bs=64k oflag=direct status=none || return 1
	done
	for i in $(seq "$count"); do
		device=$(cat "/tmp/many-$i")
		yes "lun $i" | head -c 65536 >/tmp/pattern
		dd if="$device" bs=64k count=1 iflag=direct status=none | cmp - /tmp/pattern || return 1
	done
}

workers() { pgrep -fc -- 'scuse-runner.* --worker' || true; }
no_workers() { [ "$(workers)" = 0 ]; }
# Objects in the caches that hold what a LUN consists of; a few pages of noise are the kernel's own.
unreclaimable() { awk '/^SUnreclaim:/ { print $2 }' /proc/meminfo; }
left_in_configfs() {
	local target=/sys/kernel/config/target
	find "$target"/core/scuse_* "$target"/loopback -mindepth 1 -maxdepth 1 -type d 2>/dev/null | wc -l
}

threads_before=$(ls -d /proc/[0-9]* | wc -l)
check "$count LUNs created in parallel" in_parallel scuse create many-@ memory --size 8M
check_equal "all are listed online" "$count" "$(scuse ls --json | grep -o '"state": *"online"' | wc -l)"
check_equal "one worker process each" "$count" "$(workers)"
check "all attached" in_parallel sh -c 'scuse attach many-@ --loop >/tmp/many-@'
check "each holds its own data" write_and_read_back
check "all removed in parallel" in_parallel scuse rm many-@ --force
check_equal "none is listed" 0 "$(listed_luns)"
check_equal "nothing left in configfs" 0 "$(left_in_configfs)"
check_equal "no device node left" 0 "$(find /dev -name 'scuse[0-9]*' | wc -l)"
check "the workers end" wait_for 20 no_workers

# A second round tells a leak from what the kernel keeps for good reasons (grown caches).
after_first=$(unreclaimable)
check "a second round: created" in_parallel scuse create many-@ memory --size 8M
check "a second round: removed" in_parallel scuse rm many-@ --force
wait_for 20 no_workers
sleep 2
after_second=$(unreclaimable)
echo "# unreclaimable slab: $after_first KiB after one round, $after_second KiB after two"
check "a round costs no kernel memory that stays (less than 2 MiB over 64 LUNs)" \
	test $((after_second - after_first)) -lt 2048

pkill -TERM -x scuse-runner
check "the runner ends" wait_for 20 sh -c '! pgrep -x scuse-runner'
check "the module unloads" rmmod scuse
check_equal "no slab cache of ours is left" 0 "$(grep -c '^scuse' /proc/slabinfo)"
check_equal "no kernel thread of ours is left" 0 "$(pgrep -c '^scuse' || true)"
echo "# processes: $threads_before before, $(ls -d /proc/[0-9]* | wc -l) after"
tap_done
