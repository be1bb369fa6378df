#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of luns.test: luns.guest.sh COUNT TOOLS, a directory with `stamp`
set -uo pipefail
count=$1
tools=$2
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

# The page cache is not counted.
free_kib() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^MemFree:/ { print $2 }' /proc/meminfo
}
anonymous_kib() { awk '/^RssAnon:/ { print $2 }' "/proc/$1/status"; }
pss_kib() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
numbers() { seq "$count"; }
in_parallel() { # COMMAND... with @ replaced by the number
	numbers | xargs -P 4 -I@ "$@"
}
seconds_of() { # WHAT COMMAND...: a case, and how long it took
	local what=$1 start end
	shift
	start=$(date +%s%N)
	check "$what" "$@"
	end=$(date +%s%N)
	awk -v ns=$((end - start)) -v n="$count" -v what="$what" \
		'BEGIN { printf "# %s: %.1f s, %.0f ms each\n", what, ns / 1e9, ns / 1e6 / n }'
}

# ---- what the kernel needs for a LUN that nobody serves ----
core=/sys/kernel/config/target/core
make_bare() {
	local i
	for i in $(seq "$1" "$2"); do
		mkdir "$core/scuse_7/bare-$i" &&
			echo "handler=nobody,size=1048576" | tr , '\n' >"$core/scuse_7/bare-$i/control" &&
			echo 1 >"$core/scuse_7/bare-$i/enable" || return 1
	done
}
remove_bare() { rmdir "$core"/scuse_7/bare-* && rmdir "$core/scuse_7"; }

modprobe target_core_mod
mkdir -p "$core/scuse_7"
# The first one brings what there is only one of, as the reserve.
check "a LUN that nobody serves" make_bare 0 0
before=$(free_kib)
check "$count more" make_bare 1 "$count"
after=$(free_kib)
lun_kib=$(((before - after) / count))
echo "# kernel memory of an idle LUN: $lun_kib KiB"
check "an idle LUN takes less than 256 KiB of kernel memory" test "$lun_kib" -lt 256
check "they are removed" remove_bare

# ---- with workers ----
check "a LUN and its worker" scuse create first memory --size 8M
supervisor=$(pgrep -o -x scuse-runner)
supervisor_before=$(anonymous_kib "$supervisor")
before=$(free_kib)
scuse monitor >/tmp/events 2>&1 &
monitor=$!
sleep 1
seconds_of "$count LUNs are created" in_parallel scuse create many-@ memory --size 8M
after=$(free_kib)
supervisor_after=$(anonymous_kib "$supervisor")
user_kib=$(((supervisor_after - supervisor_before) / count))
worker=$(scuse show many-1 --json | jq -r .pid)
echo "# memory of the runner for a LUN: $user_kib KiB; all in all, the worker included: $(((before - after) / count)) KiB"
echo "# a worker: Pss $(pss_kib "$worker") KiB, $(awk '
	/^VmPTE:/ { pte = $2 }
	/^Threads:/ { threads = $2 }
	/^RssAnon:/ { anon = $2 }
	END { printf "anonymous %d KiB, page tables %d KiB, %d threads", anon, pte, threads }' "/proc/$worker/status")"
check "the runner takes less than 64 KiB for a LUN" test "$user_kib" -lt 64

seconds_of "all are listed, online" sh -c '
	[ "$(scuse ls --json | jq "[.[] | select(.state == \"online\")] | length")" = "$1" ]' - $((count + 1))
seconds_of "all are attached" in_parallel sh -c 'scuse attach many-@ --loop >/tmp/many-@'
seconds_of "all are listed with their nodes" sh -c '
	[ "$(scuse ls | grep -c "/dev/sd")" = "$1" ]' - "$count"
stamp() { numbers | sed 's,^,/tmp/many-,' | xargs -P 2 -n 100 "$tools/stamp" "$1"; }
seconds_of "each takes 64 KiB" stamp write
seconds_of "each has its own" stamp check
remove_all() { numbers | sed 's/^/many-/' | xargs -n 100 scuse rm --force; }
seconds_of "all are removed" remove_all
check_equal "one is listed" 1 "$(listed_luns)"
no_more() { [ "$(grep -c ': removed$' /tmp/events)" = "$count" ]; }
wait_for 30 no_more
kill "$monitor"
wait "$monitor"
check_equal "an event told of each that came" "$count" "$(grep -c ': added: ' /tmp/events)"
check_equal "of each that went online" "$count" "$(grep -c ': online: ' /tmp/events)"
check_equal "and of each that went" "$count" "$(grep -c ': removed$' /tmp/events)"
check_equal "and none was lost" 0 "$(grep -ci 'lost' /tmp/events)"
scuse rm first
tap_done
