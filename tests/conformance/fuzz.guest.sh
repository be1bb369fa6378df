#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of fuzz.test: fuzz.guest.sh SECONDS [SEED]
set -uo pipefail
seconds=$1 seed=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/lio.sh"
program=$LAB_BUILD/tests/conformance/fuzz/cdb-fuzz
initiator=iqn.2026-01.org.scuse:fuzz
dmesg -n 1 # LIO tells of each CDB that it refuses

# Prints what the program printed; its cases count as ours.
take_output() { # NAME STATUS
	local cases failed
	sed "s/^\(ok\|not ok\) - /\1 - $1: /" "/tmp/$1.out"
	cases=$(grep -cE '^(not )?ok ' "/tmp/$1.out")
	failed=$(grep -c '^not ok ' "/tmp/$1.out")
	tap_count=$((tap_count + cases))
	tap_failed=$((tap_failed + failed))
	if [ "$2" -ne 0 ] && [ "$failed" -eq 0 ]; then
		tap_not_ok "$1: the program ends well" "exit status $2"
	fi
}

sweep() { # NAME WHERE
	local status=0
	"$program" --initiator "$initiator-$1" sweep "$2" >"/tmp/$1.out" 2>&1 || status=$?
	take_output "$1" "$status"
}

check "a LUN on the memory handler" scuse create memory memory --size 32M || tap_done
check "a LUN on the file handler" scuse create file file /tmp/fuzz.img create=true --size 32M || tap_done
loop=$(scuse attach memory --loop) || { tap_not_ok "attach --loop"; tap_done; }
url=$(scuse attach memory --iscsi) || { tap_not_ok "attach --iscsi"; tap_done; }
file_url=$(scuse attach file --iscsi) || { tap_not_ok "attach --iscsi"; tap_done; }
check "memory: a session is not pinged" lio_acl "$url" "$initiator"-{sweep-iscsi,random-iscsi}
check "file: a session is not pinged" lio_acl "$file_url" "$initiator-random-file"

# What an initiator leaves behind must not keep the LUN: core holds on to its mapping when this fails.
sg_persist --out --register --param-sark=1 --transport-id=iqn.2026-01.org.scuse:nobody "$loop" >/tmp/register.out 2>&1
check_equal "REGISTER with SPEC_I_PT for an initiator that nobody knows: ILLEGAL REQUEST" 5 $? # sg_persist's for that

sweep sweep-loop "$loop"
sweep sweep-iscsi "$url"

declare -A where=([random-loop]=$loop [random-iscsi]=$url [random-file]=$file_url) pids=()
number=0
for name in "${!where[@]}"; do
	number=$((number + 1))
	"$program" --seconds "$seconds" ${seed:+--seed "$((seed + number))"} \
		--initiator "$initiator-$name" random "${where[$name]}" >"/tmp/$name.out" 2>&1 &
	pids[$name]=$!
done
for name in "${!pids[@]}"; do
	status=0
	wait "${pids[$name]}" || status=$?
	take_output "$name" "$status"
done

check "the access lists are removed" lio_drop_acls "$url" "$file_url"
check "memory: the LUN is removed" timeout 60 scuse rm memory --force
check "file: the LUN is removed" timeout 60 scuse rm file --force
tap_done
