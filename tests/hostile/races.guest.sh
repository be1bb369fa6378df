#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of races.test: races.guest.sh SECONDS [SEED]
set -uo pipefail
seconds=$1 seed=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/common.sh"
program=$LAB_BUILD/tests/hostile/hostile-races

no_worker() { ! pgrep -f -- '[-]-worker' >/dev/null; }

dmesg -n 1
neighbour_begin 16 || tap_done
status=0
"$program" --seconds "$seconds" ${seed:+--seed "$seed"} >/tmp/races.out 2>&1 || status=$?
take_output races "$status"
"$program" --clean >/tmp/clean.out 2>&1
take_output clean $?
neighbour_end
runner_is_well
rmdir "$core"/scuse_* 2>/dev/null
check_equal "nothing is left" 0 "$(listed_luns)"
check "no node is left" wait_for 20 sh -c '! ls /dev/scuse[0-9]*'
check "no worker is left" wait_for 30 no_worker
check "no task is stuck" nothing_stuck
check "the module unloads" wait_for 20 rmmod scuse
tap_done
