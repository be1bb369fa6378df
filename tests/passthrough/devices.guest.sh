#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of devices.test: devices.guest.sh [CASE...]
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../lab/guest/tap.sh
. "$here/../lab/guest/tap.sh"
# shellcheck source=debug.sh
. "$here/debug.sh"

worker() { scuse show "$1" --json | jq -r .pid; }
same_start() { cmp -n "$3" "$1" "$2"; }
# The sense key that a command is answered with: 0 without CHECK CONDITION.
key_of() { # NODE BYTES-OUT CDB...
	local node=$1 out=$2 answer
	shift 2
	if [ "$out" -gt 0 ]; then
		answer=$(head -c "$out" /dev/zero | sg_raw --send="$out" "$node" "$@" 2>&1)
	else
		answer=$(sg_raw --request=4096 "$node" "$@" 2>&1)
	fi
	sed -n 's/.*Sense key: \(.*\)/\1/p; s/.*sense key: \(.*\)/\1/p' <<<"$answer" | grep -m 1 . || echo "$answer" | grep -m 1 Status
}

# ---- a disk ----

disk_in_use() {
	local node
	debug_up 0 dev_size_mb=16 || return 1
	node=$(debug_node)
	mkfs.ext4 -q "$node" && mkdir -p /mnt/real && mount "$node" /mnt/real
	check_fails "disk: not while it is mounted here" "in use|busy" scuse create pt sg path="$node"
	umount /mnt/real
	check "disk: by its sg node" scuse create pt sg path="$(debug_sg)"
	check_fails "disk: not while it is passed through" "busy" mount "$node" /mnt/real
	check_fails "disk: not to a second LUN" "in use|busy" scuse create again sg path="$node"
	check "disk: removed" scuse rm pt
	check "disk: the device has been given back" mount "$node" /mnt/real
	umount /mnt/real
	debug_down
}

disk_data() {
	local node loop
	debug_up 0 dev_size_mb=16 lbpu=1 || return 1
	node=$(debug_node)
	head -c 4M /dev/urandom >/tmp/data
	check "disk: by its block node" scuse create pt sg path="$node"
	check_equal "disk: its type is told" disk "$(scuse show pt --json | jq -r .type)"
	loop=$(scuse attach pt --loop)
	check "disk: data is written" dd if=/tmp/data of="$loop" bs=256k oflag=direct status=none
	check "disk: and read" same_start /tmp/data "$loop" 4M
	check "disk: the device itself holds it" same_start /tmp/data "$node" 4M
	check "disk: a file system" sh -c "mkfs.ext4 -q $loop && mount $loop /mnt && cp /tmp/data /mnt && umount /mnt && fsck.ext4 -fn $loop"
	copies
	check "disk: removed" scuse rm pt --force
	check "copies: none by the sg driver" no_copies
	debug_down
}

# But for answers of a few bytes: the block layer wants whole sectors for that.
no_copies() {
	grep ' without a copy' /run/scuse-runner.log | tail -n 1 |
		grep -E ' [1-9][0-9]* transfers \([0-9]{8,} bytes\) without a copy, [0-9]+ \([0-9]{1,3} bytes\) with one'
}

# 256 KiB blocks are copied once, into or out of the LUN's slot: not by the worker, nor by the sg driver below it, as its
# counters tell when it ends.
copies() {
	check "copies: 256 KiB blocks are read and written" sh -c "
		sg_dd if=/tmp/data of=$(loop_sg pt) bs=512 bpt=512 count=8192 &&
		sg_dd if=$(loop_sg pt) of=/tmp/read bs=512 bpt=512 count=8192 && cmp /tmp/data /tmp/read"
}

disk_read_only() {
	local node sg
	debug_up 0 dev_size_mb=16 || return 1
	node=$(debug_node)
	check "read-only: created" scuse create pt sg path="$node" read_only=true commands=standard
	scuse attach pt --loop >/dev/null
	sg=$(loop_sg pt)
	sg_turs "$sg" >/dev/null 2>&1
	check "read-only: it can be read" sg_dd if="$sg" of=/dev/null bs=512 count=8
	local name bytes cdb
	while IFS='|' read -r name bytes cdb; do
		# shellcheck disable=SC2086 # several arguments
		check_equal "read-only: $name is refused" "Data Protect" "$(key_of "$sg" $bytes $cdb)"
	done <<-'END'
		WRITE (10)|512|2a 00 00 00 00 00 00 00 01 00
		WRITE (16)|512|8a 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00
		WRITE SAME (10)|512|41 00 00 00 00 00 00 00 01 00
		UNMAP|24|42 00 00 00 00 00 00 00 18 00
		WRITE BUFFER|512|3b 05 00 00 00 00 00 02 00 00
		FORMAT UNIT|0|04 00 00 00 00 00
		MODE SELECT (6)|24|15 10 00 00 18 00
		MODE SELECT (10)|24|55 10 00 00 00 00 00 00 18 00
		ATA PASS-THROUGH (16)|512|85 0a 06 00 00 00 01 00 00 00 00 00 00 00 35 00
		SANITIZE|0|48 02 00 00 00 00 00 00 00 00
	END
	check "read-only: removed" scuse rm pt --force
	debug_down
}

# Fields of INQUIRY data that promise what the kernel half does not keep.
inquiry_byte() { sg_inq --raw --len=96 "$1" | od -An -tu1 -j "$2" -N 1 | tr -d ' '; }

disk_capabilities() {
	local sg
	debug_up 0 dev_size_mb=16 dif=1 dix=0 || return 1
	check_equal "capabilities: the device claims protection information" 1 $(($(inquiry_byte "$(debug_sg)" 5) & 1))
	check_equal "capabilities: the device claims several ports" 16 $(($(inquiry_byte "$(debug_sg)" 6) & 16))
	scuse create pt sg path="$(debug_sg)" >/dev/null && scuse attach pt --loop >/dev/null
	sg=$(loop_sg pt)
	check_equal "capabilities: the LUN does not (PROTECT)" 0 $(($(inquiry_byte "$sg" 5) & 1))
	check_equal "capabilities: nor NORMACA" 0 $(($(inquiry_byte "$sg" 3) & 32))
	check_equal "capabilities: nor third-party copies" 0 $(($(inquiry_byte "$sg" 5) & 8))
	check_equal "capabilities: nor several ports: it has one" 0 $(($(inquiry_byte "$sg" 6) & 16))
	check_equal "capabilities: it queues commands" 2 $(($(inquiry_byte "$sg" 7) & 2))
	check "capabilities: vendor and product are the device's" sh -c "sg_inq $sg | grep -q scsi_debug"
	check "capabilities: EXTENDED COPY is not listed" sh -c "sg_opcodes $sg >/tmp/opcodes && ! grep -q '^ *83' /tmp/opcodes"
	check "capabilities: sg_opcodes" sg_opcodes --rctd "$sg"
	check "capabilities: sg_vpd" sg_vpd --all "$sg"
	check "capabilities: sg_modes" sg_modes --all "$sg"
	check "capabilities: sg_logs" sg_logs --all "$sg"
	scuse rm pt --force >/dev/null
	debug_down
}

# ---- accidents ----

disk_pulled() {
	local node loop begin=$SECONDS
	debug_up 0 dev_size_mb=16 || return 1
	node=$(debug_node)
	scuse create pt sg path="$node" >/dev/null
	loop=$(scuse attach pt --loop)
	echo 1 >"/sys/class/scsi_device/$debug/device/delete"
	check_fails "pulled out: reads fail" "error" timeout 60 dd if="$loop" of=/dev/null bs=4k count=1 iflag=direct
	check "pulled out: soon" test $((SECONDS - begin)) -lt 60
	check "pulled out: the LUN can be removed" timeout 60 scuse rm pt --force
	debug_down
}

disk_exchanged() {
	local first
	debug_up 0 dev_size_mb=16 || return 1
	mkdir -p /run/test && ln -sfn "$(debug_sg)" /run/test/device
	check "exchanged: created" scuse create pt sg path=/run/test/device
	check "exchanged: which device it is, is told" sh -c "scuse show pt --json | jq -re '.identity | select(length > 4)'"
	first=$(worker pt)
	debug_set add_host 1
	wait_for 20 test -e "$(other_sg)"
	ln -sfn "$(other_sg)" /run/test/device
	kill -KILL "$first"
	check "exchanged: another device is not served" wait_for 30 sh -c "scuse show pt | grep -Eiq 'changed|was .* is '"
	ln -sfn "$(debug_sg)" /run/test/device
	check "exchanged: the LUN can be removed" timeout 60 scuse rm pt --force
	debug_down
}
other_sg() { lsscsi -g | grep scsi_debug | sed 's/.*\(\/dev\/sg[0-9]*\).*/\1/' | grep -vx "$(debug_sg)" | head -n 1; }

# ---- other types ----

cd_rom() {
	local node loop
	debug_up 5 dev_size_mb=16 wp=1 || return 1
	node=$(debug_sg)
	check "CD: created" scuse create pt sg path="$node"
	loop=$(scuse attach pt --loop)
	check "CD: it is one for initiators, too" sh -c "lsscsi | grep -q 'cd/dvd.*$loop'"
	check "CD: INQUIRY" sg_inq "$(loop_sg pt)"
	check "CD: READ CAPACITY" sg_readcap "$(loop_sg pt)"
	check "CD: it is read" sg_dd if="$(loop_sg pt)" of=/dev/null bs=512 count=64
	check_equal "CD: it is not written" "Data Protect" "$(key_of "$(loop_sg pt)" 512 2a 00 00 00 00 00 00 00 01 00)"
	check "CD: removed" scuse rm pt --force
	debug_down
}

# Of the kernels here only the newest has a scsi_debug whose tape drive can do more than tell its name.
tape() {
	local node
	modprobe st
	debug_up 1 dev_size_mb=16 || return 1
	check "tape: created" scuse create pt sg path="$(debug_node)"
	node=$(scuse attach pt --loop | sed s,/st,/nst,)
	check_equal "tape: its type is told" tape "$(scuse show pt --json | jq -r .type)"
	check "tape: st shows its status" mt -f "$node" status
	if tape_is_real "$node"; then
		check "tape: blocks and filemarks are written" sh -c "
			mt -f $node setblk 512 && mt -f $node rewind && dd if=/dev/urandom of=$node bs=512 count=8 status=none &&
			dd if=/dev/urandom of=$node bs=512 count=4 status=none && mt -f $node rewind"
		check_equal "tape: the first file" 4096 "$(dd if="$node" bs=512 status=none | wc -c)"
		check_equal "tape: the second file" 2048 "$(dd if="$node" bs=512 status=none | wc -c)"
		check "tape: spacing" sh -c "mt -f $node rewind && mt -f $node fsf 1 && mt -f $node status | grep -q 'File number=1'"
	fi
	check "tape: removed" scuse rm pt --force
	debug_down
}
tape_is_real() { mt -f "$1" weof 1; }

changer() {
	debug_up 8 || return 1
	check "changer: created" scuse create pt sg path="$(debug_sg)"
	scuse attach pt --loop >/dev/null
	check "changer: it is one for initiators, too" sh -c "lsscsi | grep scsi_debug | grep -c mediumx | grep -qx 2"
	check "changer: INQUIRY" sg_inq "$(loop_sg pt)"
	check "changer: LOG SENSE" sg_logs "$(loop_sg pt)"
	check "changer: removed" scuse rm pt --force
	debug_down
}

# Our own tape drive, through tcm_loop into the sg handler, and through tcm_loop to st.
tape_twice() {
	local inner outer
	modprobe st
	check "twice: a tape drive" scuse create inner vtape path=/tmp/twice.tape create=true
	inner=$(scuse attach inner --loop)
	check "twice: passed through" scuse create outer sg path="$inner"
	# The node that does not rewind when it is closed.
	outer=$(scuse attach outer --loop | sed s,/st,/nst,)
	check_equal "twice: a tape of the same kind" tape "$(scuse show outer --json | jq -r .type)"
	head -c 300000 /dev/urandom >/tmp/data
	check "twice: variable blocks are written" sh -c "mt -f $outer setblk 0 && dd if=/tmp/data of=$outer bs=65536 status=none"
	check "twice: and a second file" sh -c "tar -C /etc -b 20 -cf $outer passwd group"
	check "twice: rewound" mt -f "$outer" rewind
	check "twice: read with larger blocks than were written" sh -c "dd if=$outer of=/tmp/read bs=256k status=none && cmp /tmp/data /tmp/read"
	check "twice: the next file" sh -c "mkdir -p /tmp/untar && mt -f $outer rewind && mt -f $outer fsf 1 && tar -b 20 -C /tmp/untar -xf $outer && cmp /etc/passwd /tmp/untar/passwd"
	check "twice: the end of the data" sh -c "mt -f $outer eod && mt -f $outer status | grep -q EOD"
	check_fails "twice: nothing follows it" "error" dd if="$outer" of=/dev/null bs=64k count=1
	check "twice: both are removed" sh -c "scuse rm outer --force && scuse rm inner --force"
}

cases=${*:-disk_in_use disk_data disk_read_only disk_capabilities disk_pulled disk_exchanged cd_rom tape changer tape_twice}
for case in $cases; do
	"$case" || tap_not_ok "$case: its device cannot be set up or given back"
done
check "the module unloads" wait_for 20 sh -c 'pkill -TERM -x scuse-runner; rmmod scuse'
tap_done
