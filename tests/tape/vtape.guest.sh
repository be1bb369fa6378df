#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of vtape.test: vtape.guest.sh DEATHS (how often the worker is killed)
set -uo pipefail
deaths=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/tape.sh"

head -c 4M /dev/urandom >$tape_data
mkdir -p /tmp/tapes

# ---- a tape of any records ----

check "a drive with a new cartridge" scuse create t vtape /tmp/tapes/t.tape create=true capacity=64M
t=$(tape_attach t)
check_equal "it is a tape drive to the initiator" /dev/nst0 "$t"
check "rewind" mt-st -f "$t" rewind
check_equal "at the beginning of the tape, and ready" "BOT ONLINE IM_REP_EN" "$(tape_flags "$t")"

check "variable block mode" mt-st -f "$t" setblk 0
check "records of several lengths" tape_write "$t" 1000 70000 1 262144
check "a second file" tape_write "$t" 512 512 512
check "a third file" tape_write "$t" 65536
check_equal "where the tape is, after three files" "3 0 0" "$(tape_at "$t")"
check "rewind again" mt-st -f "$t" rewind
check_equal "lengths come back as they were written" "1000 70000 1 262144" "$(tape_records "$t")"
check_equal "and those of the second file" "512 512 512" "$(tape_records "$t")"
mt-st -f "$t" rewind
check_fails "a record that is longer than the buffer" "cannot allocate|memory" dd if="$t" of=/dev/null bs=512 count=1
mt-st -f "$t" rewind
mt-st -f "$t" fsr 1
check "a record's contents" cmp -n 70000 $tape_data <(dd if="$t" bs=256k count=1 status=none)

# ---- positions ----

check_position() { # WHAT WANTED COMMAND...
	local what=$1 wanted=$2
	shift 2
	mt-st -f "$t" "$@"
	check_equal "$what" "$wanted" "$(tape_at "$t")"
}

check_position "rewind goes to the beginning" "0 0 0" rewind
check_position "fsf goes behind a filemark" "2 0 0" fsf 2
check_position "bsf goes in front of one" "1 -1 0" bsf 1
check_position "bsfm goes behind one, backwards" "1 0 0" bsfm 1
check_position "fsr goes behind records" "1 2 0" fsr 2
check_position "bsr goes back" "1 1 0" bsr 1
check_position "asf goes to a file" "2 0 0" asf 2
check_position "eod goes behind the last file" "3 -1 0" eod
check_equal "tell counts records and filemarks" 11 "$(tape_tell "$t")"
check_fails "behind the last file there is nothing to read" "input/output error" dd if="$t" of=/dev/null bs=1k count=2
check "seek goes to a logical object" mt-st -f "$t" seek 6
check_equal "and tell says so" 6 "$(tape_tell "$t")"
check_equal "where the second record of the second file is" "512 512" "$(tape_records "$t")"
check_position "rewind" "0 0 0" rewind
check_fails "no more files than there are" "input/output error" mt-st -f "$t" fsf 9
check_equal "the tape is at the end of data then" 11 "$(tape_tell "$t")"

check "appending a file" tape_write "$t" 3000
mt-st -f "$t" asf 3
check_equal "what was appended is there" 3000 "$(tape_records "$t")"
mt-st -f "$t" asf 1
check "overwriting the second file" tape_write "$t" 100
check_equal "the end of data is behind it then" "2 -1 0" "$(mt-st -f "$t" eod && tape_at "$t")"

# ---- fixed blocks ----

check "fixed block mode" mt-st -f "$t" setblk 512
mt-st -f "$t" rewind
check "many blocks in one command" dd if=$tape_data of="$t" bs=64k count=16 status=none
check_equal "each is an object, and then a filemark" 2049 "$(tape_tell "$t")"
mt-st -f "$t" rewind
check "blocks come back in any number" cmp -n 1048576 $tape_data <(dd if="$t" bs=10k status=none)
mt-st -f "$t" rewind
check_fails "a length that is no multiple of the block's" "invalid argument|input/output error" \
	dd if=$tape_data of="$t" bs=1000 count=1
mt-st -f "$t" setblk 1024
mt-st -f "$t" rewind
check_fails "blocks of another length than they were written with" "input/output error" dd if="$t" of=/dev/null bs=1k count=1
check "back to variable" mt-st -f "$t" setblk 0
mt-st -f "$t" rewind
check_equal "where blocks are records of their length" 512 "$(dd if="$t" bs=256k count=1 status=none | wc -c)"

# ---- archives ----

mkdir -p /tmp/tree && cp -r "$here" /tmp/tree/ && cp $tape_data /tmp/tree/data
mt-st -f "$t" rewind
for archive in 1 2 3; do
	echo "$archive" >/tmp/tree/number
	check "archive $archive" tar -C /tmp -b 128 -cf "$t" tree
done
mt-st -f "$t" asf 2
check "the third archive is as the files are" tar -C /tmp -b 128 -df "$t"
mt-st -f "$t" asf 1
check_equal "and the second one can be told from it" 2 "$(tar -b 128 -xOf "$t" tree/number)"

# ---- erasing ----

check "erase" mt-st -f "$t" rewind
check "from the beginning of the tape" mt-st -f "$t" erase 0
check_equal "nothing is left" "0 -1 0" "$(mt-st -f "$t" eod && tape_at "$t")"

# ---- partitions ----

check "the driver is told of partitions" mt-st -f "$t" stsetoptions can-partitions
check "a second partition" mt-st -f "$t" mkpartition 16
check "going to it" mt-st -f "$t" setpartition 1
check "writing there" tape_write "$t" 1111
check "going to the first one" mt-st -f "$t" setpartition 0
check "writing there" tape_write "$t" 2222 3333
check "a place in the second one" mt-st -f "$t" partseek 1 0
check_equal "each has its own records" 1111 "$(tape_records "$t")"
check "back" mt-st -f "$t" setpartition 0
mt-st -f "$t" rewind
check_equal "and the first one's" "2222 3333" "$(tape_records "$t")"
check "one partition again" mt-st -f "$t" mkpartition 0
check "removing it" scuse rm t --force

# ---- the end of the tape ----

check "a short tape" scuse create s vtape /tmp/tapes/s.tape create=true capacity=4M early-warning=1M
t=$(tape_attach s)
mt-st -f "$t" setblk 0
# st gives ENOSPC once at the early warning; what was written before it is on the tape, and more can be.
written=$(dd if=/dev/zero of="$t" bs=64k count=100 2>&1 | sed -nE 's/^([0-9]+)\+0 records out/\1/p')
check "the early warning comes a mebibyte in front of the end ($written records of 64 KiB)" \
	test "$written" -ge 46 -a "$written" -le 49
# From there on each record that is written is followed by one that is not (st.rst): so one at a time.
check "writing goes on behind it" tape_write "$t" 1000
more=$(dd if=/dev/zero of="$t" bs=64k count=100 2>&1)
check_equal "until the tape is full" 1 "$(grep -c "No space left" <<<"$more")"
check_equal "all that was said to be written is there" "$written" \
	"$(mt-st -f "$t" rewind && tape_records "$t" | wc -w)"
check_equal "what was written behind the early warning, too" 1000 "$(tape_records "$t")"
mt-st -f "$t" rewind
head -c 5M /dev/urandom >/tmp/big
mt-st -f "$t" rewind
check "another short tape" scuse create s2 vtape /tmp/tapes/s2.tape create=true capacity=4M early-warning=1M
u=$(tape_attach s2)
check "an archive on two tapes" tar -b 128 -M -cf "$t" -f "$u" -C /tmp big
mt-st -f "$t" rewind
mt-st -f "$u" rewind
check "comes back whole" tar -b 128 -M -df "$t" -f "$u" -C /tmp
check "removing one" scuse rm s2 --force
check "removing the other" scuse rm s --force

# ---- tapes that may not be written ----

check "a WORM cartridge" scuse create w vtape /tmp/tapes/w.tape create=true capacity=16M worm=true
t=$(tape_attach w)
mt-st -f "$t" setblk 0
check "can be written once" tape_write "$t" 1000
check "and appended to" tape_write "$t" 2000
mt-st -f "$t" rewind
check_fails "but not overwritten" "input/output error|permission|read-only" tape_write "$t" 3000
mt-st -f "$t" rewind
check_equal "the first record is as it was" 1000 "$(tape_records "$t")"
check_fails "nor erased" "input/output error|permission|read-only" mt-st -f "$t" erase 0
check "removing it" scuse rm w --force

check "a drive that cannot write" scuse create r vtape /tmp/tapes/w.tape readonly=true
t=$(tape_attach r)
check "says so" grep -q WR_PROT <<<"$(tape_flags "$t")"
check_fails "refuses to be opened for writing" "read-only|permission" tape_write "$t" 1
check_equal "and can be read" 1000 "$(tape_records "$t")"
check "removing it" scuse rm r --force

# ---- deaths ----

# Files of some records each, all different, until there is an error or somebody says stop.  What dd has closed has its
# filemark, so it has been flushed; of a file that ended in an error no more than a part may be there.
write_files() { # NODE
	local number=0 offset
	: >/tmp/closed
	while [ ! -e /tmp/stop ]; do
		offset=$((number * 7919 % 3000000))
		dd if=<(tail -c +$((offset + 1)) $tape_data) of="$1" bs=32k count=20 iflag=fullblock status=none || break
		tail -c +$((offset + 1)) $tape_data | head -c 655360 | md5sum >>/tmp/closed
		number=$((number + 1))
	done 2>/dev/null
}

verify_closed() { # NODE
	local number=0 wanted seen
	mt-st -f "$1" rewind || return 1
	while read -r wanted; do
		seen=$(dd if="$1" bs=32k status=none | md5sum)
		[ "$seen" = "$wanted" ] || { echo "file $number differs"; return 1; }
		number=$((number + 1))
	done </tmp/closed
	echo "$number files"
	[ "$number" -gt 0 ]
}

check "a tape to die with" scuse create k vtape /tmp/tapes/k.tape create=true capacity=256M
t=$(tape_attach k)
mt-st -f "$t" setblk 0
for ((death = 1; death <= deaths; death++)); do
	mt-st -f "$t" rewind
	rm -f /tmp/stop
	write_files "$t" &
	writer=$!
	sleep "1.$((RANDOM % 10))"
	first=$(worker k)
	kill_worker k
	check "death $death: there is another worker" wait_for 30 another_worker k "$first"
	sleep 1
	touch /tmp/stop
	check "death $death: the writer ends" timeout 100 tail --pid=$writer -f /dev/null
	wait "$writer"
	check "death $death: every file that was closed is on the tape" verify_closed "$t"
	check "death $death: and the tape can be appended to" eval "mt-st -f '$t' eod && tape_write '$t' 5000"
done
check "removing it" scuse rm k --force
tap_done
