#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of netlink.test: netlink.guest.sh SECONDS [SEED]
set -uo pipefail
seconds=$1 seed=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/common.sh"

dmesg -n 1
neighbour_begin 16 || tap_done
check "a LUN that may be harmed" scuse create victim null --size 64M || tap_done
scuse monitor --json >/tmp/monitor.json 2>/tmp/monitor.err &
monitor=$!
sleep 1

status=0
"$LAB_BUILD/tests/hostile/hostile-netlink" --seconds "$seconds" ${seed:+--seed "$seed"} \
	"$(scuse show victim --json | jq .id)" victim >/tmp/netlink.out 2>&1 || status=$?
take_output netlink "$status"

neighbour_end
runner_is_well
check "a LUN is created afterwards" scuse create after memory --size 8M
check "the monitor lives" kill -0 "$monitor"
check "and tells of it" wait_for 20 sh -c \
	"jq -e 'select(.event == \"device-added\" and .lun.name == \"after\")' /tmp/monitor.json | grep -q ."
check "each of its $(wc -l </tmp/monitor.json) lines is sound" jq -e . /tmp/monitor.json
kill "$monitor"
check "that LUN is removed" timeout 120 scuse rm after
check "the victim is removed" timeout 120 scuse rm victim --force
check_equal "nothing is left" 0 "$(listed_luns)"
check "no task is stuck" nothing_stuck
tap_done
