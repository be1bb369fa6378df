#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of hang.test: hang.guest.sh BUILD, where stubborn.so and tmf are.
set -uo pipefail
build=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/iscsi.sh"

tmf_timeout=2
kill_timeout=5
# kmod/watch.h, THE BOUND; in milliseconds, and a second of an emulated machine's own.
bound=$(((tmf_timeout + kill_timeout + 2) * 1000 + 1000))

worker() { scuse show "$1" --json | jq -r .pid; }
is_online() { [ "$(scuse show "$1" --json | jq -r .state)" = online ]; }
is_offline() { ! is_online "$1"; }
another_worker() { is_online "$1" && [ "$(worker "$1")" != "$2" ]; }
now() { echo $(($(date +%s%N) / 1000000)); }
attribute() { echo "$3" >"$(echo /sys/kernel/config/target/core/scuse_*/"$1"/attrib/"$2")"; }
said() { dmesg | grep -q "$1"; }
# Fills block $2 of the disk with letter $3, as one WRITE (10) that is given $4 seconds; milliseconds to stdout.
write_block() {
	local start
	start=$(now)
	head -c 512 /dev/zero | tr '\0' "$3" >"/tmp/block.$3"
	sg_raw --timeout="$4" --send=512 --infile="/tmp/block.$3" "$1" 2a 00 00 00 00 "$(printf %02x "$2")" 00 00 01 00 \
		>"/tmp/sg.$3" 2>&1
	local status=$?
	echo $(($(now) - start))
	return $status
}
# Letter of block $2, as the initiator reads it, and as it is in the file.
letter() { dd if="$1" bs=512 skip="$2" count=1 iflag=direct status=none | head -c 1; }
stored() { dd if="$1" bs=512 skip="$2" count=1 status=none | head -c 1; }
within() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }

cp "$build/stubborn.so" "$SCUSE_PLUGIN_DIR/" && pkill -HUP -x scuse-runner && sleep 2
# A LUN whose file has the same name: three restarts of its worker at most, so that the runner does not give it up.
stubborn() {
	truncate -s 16M "/tmp/$1.img"
	check "a LUN" scuse create "$1" stubborn path="/tmp/$1.img" --size 16M
	attribute "$1" tmf_timeout $tmf_timeout
}
# A write that does as it should; who has a unit attention to hear of hears of it first.
serves() { write_block "$1" "$2" b 30 || write_block "$1" "$2" b 30 || write_block "$1" "$2" b 30; }
nothing_old() { check_equal "nothing old comes up later" bb "$(letter "$1" "$3")$(stored "$2" "$3")"; }

# ABORT TASK, which the SCSI layer sends when a command of three seconds is not answered; its clock is a coarse one.
stubborn d
disk=$(scuse attach d --loop)
check "it stores what it is given" serves "$disk" 1
first=$(worker d)
took=$(write_block "$disk" 2 T 3)
check "a command that is given up comes back within the bound ($took ms)" within "$took" $((3000 + tmf_timeout * 1000)) \
	$((3000 + 5000 + bound))
check "the worker is replaced" wait_for 30 another_worker d "$first"
check "the old one is gone" wait_for 5 sh -c "! kill -0 $first"
check "the LUN serves" serves "$disk" 2
check_equal "what was written last is there" bb "$(letter "$disk" 2)$(stored /tmp/d.img 2)"
check "the log says why" said "d: the session of process .* is revoked: WRITE of 1 blocks at LBA 2, .* seconds after its CANCEL"
sleep 1
nothing_old "$disk" /tmp/d.img 2

# An answer within tmf_timeout of the CANCEL costs nothing.
attribute d tmf_timeout 10
first=$(worker d)
took=$(write_block "$disk" 3 L 1)
check "a late answer is waited for ($took ms)" within "$took" 1500 9000
check_equal "and its worker stays" "$first" "$(worker d)"
check_equal "what it wrote is what the file has when the initiator knows" L "$(stored /tmp/d.img 3)"

stubborn e
url=$(scuse attach e --iscsi)
other=$(scuse attach e --loop)
while read -r function how; do
	first=$(worker e)
	took=$("$build/tmf" "$url" "$function" 4 "$how")
	check "$function of iSCSI, while the handler does $how, is answered within the bound ($took ms)" within "$took" \
		$((tmf_timeout * 1000 - 100)) "$bound"
	check "the worker is replaced" wait_for 30 another_worker e "$first"
done <<'END'
abort N
abort S
reset T
END
check "the LUN serves" serves "$other" 4
sleep 1
nothing_old "$other" /tmp/e.img 4

# A process that is stopped.
first=$(worker e)
kill -STOP "$first"
serves "$other" 5 >/tmp/slow 2>&1 &
writer=$!
sleep 1
start=$(now)
sg_reset --device "$other" >/dev/null 2>&1
took=$(($(now) - start))
check "LOGICAL UNIT RESET of a stopped worker is answered within the bound ($took ms)" within "$took" \
	$((tmf_timeout * 1000 - 100)) "$bound"
check "the worker is replaced" wait_for 30 another_worker e "$first"
check "the LUN serves" serves "$other" 6

# command_timeout, without any initiator that gives up.
stubborn g
third=$(scuse attach g --loop)
attribute g command_timeout 2
first=$(worker g)
write_block "$third" 6 O 30 >/tmp/slow 2>&1 &
slow=$!
check "a command that takes too long is reported" wait_for 10 said "g: a command takes too long: WRITE of 1 blocks at LBA 6"
check "its worker is replaced" wait_for 30 another_worker g "$first"
wait "$slow"
check "the LUN serves" serves "$third" 7

# A process that cannot be killed: its file system is frozen.
check "a LUN for a file system" scuse create m memory --size 64M
mkdir -p /tmp/fs
below=$(scuse attach m --loop)
mkfs.ext4 -q "$below" && mount "$below" /tmp/fs
truncate -s 16M /tmp/fs/disk.img
check "a LUN on the file system" scuse create f file path=/tmp/fs/disk.img --size 16M
frozen=$(scuse attach f --loop)
attribute f tmf_timeout $tmf_timeout
check "it serves" write_block "$frozen" 1 a 30
first=$(worker f)
fsfreeze -f /tmp/fs
took=$(write_block "$frozen" 1 o 3)
check "a write that hangs in the kernel comes back within the bound ($took ms)" within "$took" \
	$((3000 + (tmf_timeout + kill_timeout) * 1000 - 100)) $((3000 + 5000 + bound))
check "the log says why" said "f: process $first was killed but does not end"
check "its process is there" kill -0 "$first"
check "the LUN is not online" is_offline f
check "another LUN serves all the while" serves "$disk" 8
fsfreeze -u /tmp/fs
check "when it can end, the LUN is back" wait_for 60 another_worker f "$first"
check "and serves" serves "$frozen" 1
sleep 1
nothing_old "$frozen" /tmp/fs/disk.img 1

wait "$writer"
for lun in d e g f; do
	check "LUN $lun can be removed" timeout 60 scuse rm $lun --force
done
umount /tmp/fs
check "LUN m can be removed" timeout 60 scuse rm m --force
check "the runner ends" sh -c "pkill -TERM -x scuse-runner; sleep 3; ! pgrep -x scuse-runner"
check "the module unloads" wait_for 20 rmmod scuse
tap_done
