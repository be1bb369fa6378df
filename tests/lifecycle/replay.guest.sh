#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of replay.test: replay.guest.sh PLUGINS
set -uo pipefail
plugins=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
dmesg -n 1
cp "$plugins"/*.so "$SCUSE_PLUGIN_DIR/" && pkill -HUP -x scuse-runner && sleep 2

runner=$(pgrep -o -x scuse-runner)
worker() { scuse show "$1" --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1; }
online() { scuse show "$1" --json | grep -q '"state": *"online"'; }
offline() { ! online "$1"; }
attrib() { printf '%s' "$3" >"$(echo /sys/kernel/config/target/core/scuse_*/"$1")/attrib/$2"; }

# A LUN whose handler keeps what is in /tmp/NAME/keep.
make() {
	mkdir "/tmp/$1"
	truncate -s 4M "/tmp/$1/disk"
	check "a LUN, $1" scuse create "$1" keeps-commands dir="/tmp/$1"
	disk=$(scuse attach "$1" --loop)
	udevadm settle
	: >"/tmp/$1/log"
}
keep() { printf '%s' "$2" >"/tmp/$1/keep"; }
# Lines of the log in order of arrival; replays only, with an argument.
arrived() { awk -v only="${2:-}" '!only || $4 { print $1 $2 }' "/tmp/$1/log" | paste -sd' '; }
has_arrived() { [ "$(grep -cE "$2" "/tmp/$1/log")" -ge "$3" ]; }
another() { online "$1" && [ "$(worker "$1")" != "$2" ]; }
# Kills the worker; the next one keeps nothing.
kill_worker() {
	local old
	old=$(worker "$1")
	keep "$1" ""
	kill -KILL "$old"
	check "$2: there is another worker" wait_for 20 another "$1" "$old"
}
# While the supervisor is stopped nobody starts workers.
leave_alone() {
	kill -STOP "$runner"
	kill -KILL "$(worker "$1")"
	wait_for 10 offline "$1"
}
ended() { # WHAT STATUS PID
	local status=0
	wait "$3" || status=$?
	check_equal "$1" "$2" "$status"
}
still_waits() { kill -0 "$1" 2>/dev/null; }
block() { dd if="/tmp/$1/disk" bs=512 skip="$2" count=1 status=none | md5sum; }
hex() { printf '%02x %02x %02x %02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }

dd if=/dev/urandom of=/tmp/data bs=512 count=64 status=none
md5() { dd if=/tmp/data bs=512 skip="$1" count="${2:-1}" status=none | md5sum; }
data() { dd if=/tmp/data bs=512 skip="$1" count=1 of="/tmp/data.$1" status=none; }

# Order, and data.
make a
keep a "W-R-"
for i in 5 1 7 3 0 6; do
	taskset -c 0 dd if=/tmp/data of="$disk" bs=512 skip="$i" seek="$((i * 8))" count=1 oflag=direct status=none &
	pids[i]=$!
	wait_for 10 has_arrived a "^W $((i * 8)) " 1
done
taskset -c 0 dd if="$disk" of=/tmp/seen bs=512 skip=800 count=1 iflag=direct status=none &
reader=$!
wait_for 10 has_arrived a "^R 800 " 1
wanted="W40 W8 W56 W24 W0 W48 R800"
check_equal "they arrive in order" "$wanted" "$(grep -E '^W|^R 800' /tmp/a/log | awk '{ print $1 $2 }' | paste -sd' ')"
kill_worker a "writes and a read in flight"
for i in 5 1 7 3 0 6; do
	ended "write $i notices nothing" 0 "${pids[i]}"
	check_equal "write $i has its own data" "$(md5 "$i")" "$(block a $((i * 8)))"
done
ended "nor does the read" 0 "$reader"
check_equal "they are replayed in order" "$wanted" "$(arrived a only)"

# Commands of several submissions; claims stay, and what waits for them goes on waiting.
cat /dev/zero | head -c 512 >/tmp/caw
data 10
cat /tmp/data.10 >>/tmp/caw
dd if=/tmp/data of=/tmp/a/disk bs=512 skip=20 seek=2000 count=1 conv=notrunc status=none
printf '\377%.0s' {1..512} >/tmp/ones
data 11
data 12
: >/tmp/a/log
keep a "W+S-"
sg_compare_and_write --lba=1000 --in=/tmp/caw --num=1 --xferlen=1024 "$disk" &
caw=$!
sg_raw -s 512 -i /tmp/ones "$disk" 8b 00 00 00 00 00 $(hex 1100) 00 00 00 01 00 00 >/dev/null 2>&1 &
orwrite=$!
sg_write_same --lba=1200 --num=4 --in=/tmp/data.11 --xferlen=512 "$disk" >/dev/null 2>&1 &
same=$!
sg_write_verify --lba=1300 --num=1 --in=/tmp/data.12 --ilen=512 "$disk" >/dev/null 2>&1 &
verified=$!
wait_for 15 has_arrived a '^[WS] (1000|1100|1200|1300) ' 4
sg_unmap --lba=2000 --num=1 --force "$disk" >/dev/null 2>&1 &
unmap=$!
sleep 1
check_equal "UNMAP waits for COMPARE AND WRITE" 0 "$(grep -c ^U /tmp/a/log)"
kill_worker a "half done commands in flight"
ended "COMPARE AND WRITE that had written is no miscompare" 0 "$caw"
check_equal "COMPARE AND WRITE has written" "$(md5 10)" "$(block a 1000)"
ended "ORWRITE" 0 "$orwrite"
check_equal "ORWRITE has written" "$(md5sum </tmp/ones)" "$(block a 1100)"
ended "WRITE SAME" 0 "$same"
check_equal "WRITE SAME has written its block" "$(md5 11)" "$(block a 1203)"
ended "WRITE AND VERIFY" 0 "$verified"
check_equal "WRITE AND VERIFY has written" "$(md5 12)" "$(block a 1300)"
ended "UNMAP" 0 "$unmap"
check_equal "UNMAP has unmapped" "$(head -c 512 /dev/zero | md5sum)" "$(block a 2000)"
check_equal "the replays" "R1100 S1200 W1000 W1300" "$(awk '$4 { print $1 $2 }' /tmp/a/log | sort | paste -sd' ')"

# UNMAP and VERIFY themselves, and what goes on without an initiator.
dd if=/tmp/data of=/tmp/a/disk bs=512 skip=20 seek=2000 count=8 conv=notrunc status=none
dd if=/tmp/data of=/tmp/verify bs=512 skip=24 count=2 status=none
: >/tmp/a/log
keep a "U-R-"
sg_unmap --lba=2000 --num=2 --force "$disk" >/dev/null 2>&1 &
unmap=$!
sg_verify --lba=2004 --count=2 --ndo=1024 --in=/tmp/verify --16 "$disk" >/tmp/verify.out 2>&1 &
verify=$!
check "UNMAP and VERIFY have begun" wait_for 10 has_arrived a '^U 2000 |^R 2004 ' 2
kill_worker a "UNMAP and VERIFY in flight"
ended "UNMAP" 0 "$unmap"
check_equal "UNMAP has unmapped" "$(head -c 512 /dev/zero | md5sum)" "$(block a 2001)"
ended "VERIFY" 0 "$verify"

keep a "Z-"
printf '\202\0\0\2\245\132' >/tmp/pattern
check "SANITIZE, OVERWRITE, IMMED" sg_raw -s 6 -i /tmp/pattern "$disk" 48 81 00 00 00 00 00 00 06 00
wait_for 10 has_arrived a ^Z 1
check_fails "it is under way" "not ready|sanitize" sg_turs -v "$disk"
kill_worker a "SANITIZE in flight"
check "it comes to its end" wait_for 20 sg_turs "$disk"
check_equal "its last pass has the inverted pattern" 5aa55aa5 "$(xxd -p -l 4 /tmp/a/disk)"
keep a "F-"
check "FORMAT UNIT, IMMED" sg_raw -s 4 -i /dev/stdin "$disk" 04 10 00 00 00 00 < <(printf '\0\2\0\0')
wait_for 10 has_arrived a ^F 1
kill_worker a "FORMAT UNIT in flight"
check "it comes to its end" wait_for 20 sg_turs "$disk"
check_equal "the medium is empty" 00000000 "$(xxd -p -l 4 /tmp/a/disk)"
check_equal "the second worker was told" 1 "$(grep -c '^F 0 0 1' /tmp/a/log)"
check "the LUN is removed" timeout 60 scuse rm a --force

# Nobody serves.
make b
leave_alone b
dd if="$disk" of=/dev/null bs=512 skip=100 count=1 iflag=direct status=none &
reader=$!
sg_turs "$disk" &
ready=$!
sleep 2
check "commands wait while nobody serves" still_waits "$reader"
check "so does TEST UNIT READY" still_waits "$ready"
kill -CONT "$runner"
ended "the read goes on when somebody does" 0 "$reader"
ended "and TEST UNIT READY" 0 "$ready"
check_equal "none of them was a replay" 0 "$(awk '$4' /tmp/b/log | wc -l)"

keep b "R-"
attrib b inflight_policy busy
dd if="$disk" of=/dev/null bs=512 skip=200 count=1 iflag=direct status=none &
reader=$!
wait_for 10 has_arrived b '^R 200 ' 1
kill_worker b "inflight_policy=busy"
ended "its initiator tries again" 0 "$reader"
check_equal "nothing was replayed" 0 "$(awk '$4' /tmp/b/log | wc -l)"
attrib b inflight_policy replay

attrib b orphan_timeout -1
leave_alone b
check_fails "a command that is aborted does not wait" . timeout 60 sg_raw -t 3 -r 512 "$disk" 28 00 00 00 00 01 00 00 01 00
sg_raw -t 60 -r 512 "$disk" 28 00 00 00 00 02 00 00 01 00 >/tmp/sense 2>&1 &
reader=$!
sleep 1
check "a command waits" still_waits "$reader"
attrib b orphan_policy error
wait "$reader"
check "orphan_policy=error ends what waits" grep -qi "not ready" /tmp/sense
check_fails "and what comes" "not ready" sg_turs -v "$disk"
attrib b orphan_policy busy
check_fails "orphan_policy=busy" . timeout 60 sg_raw -t 2 "$disk" 00 00 00 00 00 00
attrib b orphan_policy wait
attrib b orphan_timeout 600
dd if="$disk" of=/dev/null bs=512 skip=300 count=1 iflag=direct status=none 2>/dev/null &
reader=$!
sleep 1
attrib b orphan_timeout 1
check "when the time is up commands fail" wait_for 10 sh -c 'dmesg | grep -q "commands failed"'
attrib b orphan_policy error
wait "$reader"
attrib b orphan_policy wait
attrib b orphan_timeout -1
dd if="$disk" of=/dev/null bs=512 skip=301 count=1 iflag=direct status=none 2>/dev/null &
reader=$!
sleep 1
check "a command waits, without a limit" still_waits "$reader"
# As an administrator without `scuse` would: core waits for the commands of the LUN.
lun=$(echo /sys/kernel/config/target/loopback/naa.*/tpgt_*/lun/lun_*/*scuse*)
check "its LUN is removed all the same" timeout 60 rm "$lun"
wait "$reader"
check "and the device" timeout 60 scuse rm b --force
kill -CONT "$runner"
check_equal "no LUN is left" 0 "$(listed_luns)"
check_equal "the kernel says nothing" "" "$(dmesg | grep -E 'WARNING|BUG:|Oops')"
tap_done
