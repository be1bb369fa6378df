#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of btape.test: btape.guest.sh TEST...
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/tape.sh"
mkdir -p /tmp/bacula

# A drive, and as little of a configuration as btape asks for.
set_up() { # CAPACITY BLOCK
	rm -f /tmp/b.tape
	check "a drive with a cartridge of $1" scuse create b vtape /tmp/b.tape create=true capacity="$1"
	b=$(tape_attach b)
	cat >/tmp/bacula/sd.conf <<CONFIG
Storage {
  Name = lab-sd
  WorkingDirectory = /tmp/bacula
  Pid Directory = /tmp/bacula
}
Director {
  Name = lab-dir
  Password = "none"
}
Messages {
  Name = Standard
  stdout = all
}
Device {
  Name = Drive
  Media Type = virtual
  Archive Device = $b
  Device Type = Tape
  AutomaticMount = yes
  AlwaysOpen = yes
  RemovableMedia = yes
  RandomAccess = no
  Maximum Block Size = $2
  Maximum File Size = 8M
}
CONFIG
}

run_btape() { # ANSWERS
	printf '%b' "$1" | timeout 600 btape -c /tmp/bacula/sd.conf "$b" 2>&1
}

said() { check "$1" grep -q "$2" "/tmp/bacula/$each.log"; } # WHAT PATTERN

# It writes 20,000 blocks and reads them: in small ones that is soon done.
test_test() {
	set_up 256M 4096
	run_btape 'test\nquit\n' >/tmp/bacula/test.log
	said "btape test: blocks are read as they were written" "Test Succeeded. End Write, rewind, and re-read test"
	said "btape test: a block is found by file and number" "Block 20000 re-read correctly"
	said "btape test: the end of data is where it should be" "in file 3. I am at file 3. This is correct"
	said "btape test: what was appended is there" "Total files=4, blocks=7"
	said "btape test: going back over a filemark and a block" "Block re-read correct. Test succeeded"
	said "btape test: going forward over files" "in file 5. I am at file 5. This is correct"
	check_fails "btape test: nothing is not correct" "^0$" grep -Ec "NOT|must correct|Bad status|failed" /tmp/bacula/test.log
}

test_fill() {
	set_up 32M 64512
	run_btape 'fill\ns\nn\nquit\n' >/tmp/bacula/fill.log
	said "btape fill: the last block can be read again" "The last block on the tape matches. Test succeeded"
}

for each; do
	"test_$each"
	[ "$tap_failed" -eq 0 ] || sed 's/^/# /' "/tmp/bacula/$each.log"
	check "removing it" scuse rm b --force
done
tap_done
