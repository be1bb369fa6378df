#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of changer.test: changer.guest.sh DEATHS (how often a worker is killed)
set -uo pipefail
deaths=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/tape.sh"
library=/tmp/library

# What mtx sees: "D0:A00001L8 1:A00002L8 E9:A00003L8", the full elements only.
contents() {
	mtx -f "$c" status | sed -nE '
		s/^ *Data Transfer Element ([0-9]+):Full .*VolumeTag *= *([^ ]*).*/D\1:\2/p
		s/^ *Storage Element ([0-9]+) IMPORT\/EXPORT:Full *:VolumeTag *= *([^ ]*).*/E\1:\2/p
		s/^ *Storage Element ([0-9]+):Full *:VolumeTag *= *([^ ]*).*/\1:\2/p' | xargs
}
cartridges() { contents | tr ' ' '\n' | sed 's/.*://' | sort | xargs; }
contents_are() { [ "$(contents)" = "$1" ]; }

head -c 1M /dev/urandom >$tape_data
mkdir -p $library/cartridges
touch $library/cartridges/A0000{1,2,3}L8

check "a drive" scuse create d0 vtape library=$library drive=0
check "another drive" scuse create d1 vtape library=$library drive=1
check "their changer" scuse create lib vchanger $library slots=6 ports=2
d0=$(tape_attach d0)
d1=$(tape_attach d1)
c=$(scuse attach lib --loop --sg)
check "is a medium changer to the initiator" grep -Eq "mediumx .*$c" <<<"$(lsscsi -g)"

check "mtx sees a changer" grep -q "Medium Changer" <<<"$(mtx -f "$c" inquiry)"
check "with all its elements" grep -q "2 Drives, 8 Slots ( 2 Import/Export )" <<<"$(mtx -f "$c" status)"
check_equal "and the cartridges" "1:A00001L8 2:A00002L8 3:A00003L8" "$(contents)"
check "inventory" mtx -f "$c" inventory

# ---- moves ----

check "load" mtx -f "$c" load 1 0
check_equal "the cartridge is in the drive" "D0:A00001L8 2:A00002L8 3:A00003L8" "$(contents)"
check "mtx knows where it came from" grep -q "Storage Element 1 Loaded" <<<"$(mtx -f "$c" status)"
check "the drive is ready" grep -q ONLINE <<<"$(tape_flags "$d0")"
check_fails "no load into a full drive" "full|error" mtx -f "$c" load 2 0
check "unload" mtx -f "$c" unload 1 0
# By its status, which does not wait for a tape as st does for two minutes when its node is opened otherwise.
check "the drive has no tape any more" grep -q DR_OPEN <<<"$(tape_flags "$d0")"
check "transfer" mtx -f "$c" transfer 3 5
check "exchange" mtx -f "$c" exchange 1 2
check_equal "all is where it was moved to" "1:A00002L8 2:A00001L8 5:A00003L8" "$(contents)"
check_fails "no transfer from an empty slot" "empty|error" mtx -f "$c" transfer 4 6

# ---- a tape goes from drive to drive ----

check "load into the first drive" mtx -f "$c" load 5 0
check "writing" tape_write "$d0" 1000 200000
check "unload, without mt offline before" mtx -f "$c" unload 5 0
check "load into the second drive" mtx -f "$c" load 5 1
check_equal "the second drive reads what the first one wrote" "1000 200000" "$(tape_records "$d1")"
check "a lock" mt-st -f "$d1" lock
check_fails "holds the cartridge in the drive" "prevent|locked|53|error" mtx -f "$c" unload 5 1
check "unlocked" mt-st -f "$d1" unlock
check "ejected by the drive" mt-st -f "$d1" offline
check "it can be unloaded" mtx -f "$c" unload 5 1

# ---- by hand ----

touch /tmp/B00001L8
check "import: a file is put into the folder" mv /tmp/B00001L8 $library/mail/
check "it is in an import/export element" wait_for 20 contents_are "1:A00002L8 2:A00001L8 5:A00003L8 E7:B00001L8"
check "from which it can be moved" mtx -f "$c" transfer 7 3
check "its file is with the others then" test -f $library/cartridges/B00001L8 -a ! -e $library/mail/B00001L8
check "export: a cartridge is moved to an element" mtx -f "$c" transfer 1 8
check "its file can be taken away" mv $library/mail/A00002L8 /tmp/
check "and it is gone" wait_for 20 contents_are "2:A00001L8 3:B00001L8 5:A00003L8"
mtx -f "$c" status >/dev/null
mv /tmp/A00002L8 $library/mail/
sleep 1
check "initiators are told that an import/export element was accessed" \
	grep -Eiq "import or export element accessed" <<<"$(sg_turs -v "$c" 2>&1)"
touch $library/cartridges/C00001L8
sleep 1
check "and that the inventory has changed" grep -Eiq "medium may have changed" <<<"$(sg_turs -v "$c" 2>&1)"
check_equal "as it has" "1:C00001L8 2:A00001L8 3:B00001L8 5:A00003L8 E7:A00002L8" "$(contents)"

# ---- deaths ----

check "a tape in a drive" mtx -f "$c" load 2 0
for ((death = 1; death <= deaths; death++)); do
	before=$(contents)
	for name in d0 lib; do
		first=$(worker $name)
		kill_worker $name 1
		check "death $death: $name gets another worker" wait_for 30 another_worker $name "$first"
	done
	check "death $death: all is where it was" wait_for 30 contents_are "$before"
	mtx -f "$c" transfer 5 6 >/dev/null 2>&1 &
	sleep "0.0$((RANDOM % 10))"
	kill_worker lib
	wait $!
	sleep 1
	check_equal "death $death, in the middle of a move: each cartridge is there, once" \
		"A00001L8 A00002L8 A00003L8 B00001L8 C00001L8" "$(cartridges)"
	mtx -f "$c" transfer 6 5 >/dev/null 2>&1
done
mt-st -f "$d0" rewind
check "the tape in the drive can be written" tape_write "$d0" 5000
check "and unloaded" mtx -f "$c" unload 2 0

# ---- a drive that is not there ----

check "a drive is removed" scuse rm d1 --force
check "the others go on" mtx -f "$c" load 2 0
check_fails "what is to be loaded into it stays where it is" "error|not ready" mtx -f "$c" load 3 1
check_equal "as mtx sees" "D0:A00001L8 1:C00001L8 3:B00001L8 5:A00003L8 E7:A00002L8" "$(contents)"
check "removing the changer" scuse rm lib --force
check "removing the drive" scuse rm d0 --force
tap_done
