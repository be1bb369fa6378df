#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of protection.test: protection.guest.sh LABEL
#
# With a PROTECT field other than 0 each block of 512 bytes is followed by its 8 bytes: guard, application tag,
# reference tag.  All transfers here are of 4 blocks.
set -uo pipefail
label=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

wire=$((4 * 520))
plain=$((4 * 512))

hex() { printf '%02x %02x %02x %02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }

# WRITE (16) or READ (16) of 4 blocks: transfer CODE PROTECT LBA SG_RAW_OPTION...
transfer() {
	local code=$1 protect=$2 lba=$3
	shift 3
	# shellcheck disable=SC2046 # the bytes are words
	sg_raw "$@" "$device" "$code" "$(printf '%02x' $((protect << 5)))" 00 00 00 00 $(hex "$lba") \
		00 00 00 04 00 00
}

write_wire() { transfer 8a "$1" "$2" -s "$wire" -i "$3"; }
write_plain() { transfer 8a 0 "$1" -s "$plain" -i "$2"; }
read_wire() { transfer 88 "$1" "$2" -r "$wire" -o "$3"; }
read_plain() { transfer 88 0 "$1" -r "$plain" -o "$2"; }

# READ (32) with an application tag to expect, four hex digits, in all its bits: read_32 LBA TAG FILE
read_32() {
	# shellcheck disable=SC2046
	sg_raw -r "$wire" -o "$3" "$device" 7f 00 00 00 00 00 00 18 00 09 20 00 00 00 00 00 $(hex "$1") \
		$(hex "$1") "${2:0:2}" "${2:2:2}" ff ff 00 00 00 04
}

bytes() { od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'; }

# A copy of wire data with one byte changed: damage FROM TO OFFSET
damage() {
	local byte
	byte=$(bytes "$1" "$3" 1)
	cp "$1" "$2"
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf '%03o' $((0x$byte ^ 1)))" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none
}

# The data of a wire transfer, without the protection information.
strip() {
	local i
	for i in 0 1 2 3; do
		dd if="$1" bs=1 skip=$((i * 520)) count=512 status=none
	done
}

fields() { # TYPE
	local type=$1 what="$label, type $1"
	check "$what: plain WRITE" write_plain 100 /tmp/data
	check "$what: READ with RDPROTECT=1" read_wire 1 100 /tmp/wire
	check_equal "$what: the data is that of the plain WRITE" "$(md5sum </tmp/data)" "$(strip /tmp/wire | md5sum)"
	if [ "$type" = 1 ]; then
		check_equal "$what: the third reference tag is its LBA" 00000066 "$(bytes /tmp/wire $((2 * 520 + 516)) 4)"
	else
		check_equal "$what: the third reference tag is free" ffffffff "$(bytes /tmp/wire $((2 * 520 + 516)) 4)"
	fi
	check "$what: WRITE with WRPROTECT=1 of the same" write_wire 1 100 /tmp/wire
	damage /tmp/wire /tmp/guard $((520 + 512))
	check_fails "$what: WRITE with a bad guard" "guard check failed" write_wire 1 100 /tmp/guard
	check "$what: WRITE with a bad guard, WRPROTECT=3: unchecked" write_wire 3 100 /tmp/guard
	check_fails "$what: plain READ of it" "guard check failed" read_plain 100 /tmp/back
	check_fails "$what: READ of it with RDPROTECT=4" "guard check failed" read_wire 4 100 /tmp/back
	check "$what: READ of it with RDPROTECT=3: unchecked" read_wire 3 100 /tmp/back
	check "$what: the bad guard comes back" cmp /tmp/guard /tmp/back
	damage /tmp/wire /tmp/reference $((519))
	if [ "$type" = 1 ]; then
		check_fails "$what: WRITE with a bad reference tag" "reference tag check failed" \
			write_wire 1 100 /tmp/reference
	else
		check "$what: WRITE with another reference tag" write_wire 1 100 /tmp/reference
	fi
	check_fails "$what: RDPROTECT=6 is reserved" "illegal request" read_wire 6 100 /tmp/back
	check "$what: READ of blocks that were never written: nothing to check" read_wire 1 5000 /tmp/back
	check_equal "$what: their information is all ones" ffffffffffffffff "$(bytes /tmp/back 512 8)"
	check "$what: WRITE again" write_wire 1 100 /tmp/wire
	check "$what: READ (32) that expects application tag 0" read_32 100 0000 /tmp/back
	check_fails "$what: READ (32) that expects another" "application tag check failed" read_32 100 0001 /tmp/back
}

file_system() { # TYPE
	local type=$1 what="$label, type $1" sum
	check_equal "$what: sd protects the data" "T10-DIF-TYPE$type-CRC" "$(cat "/sys/block/${device#/dev/}/integrity/format")"
	check "$what: mkfs" mkfs.ext4 -q "$device" &&
		check "$what: mount" mount "$device" /mnt || return
	head -c 8M /dev/urandom >/mnt/file
	sum=$(md5sum </mnt/file)
	check "$what: umount" umount /mnt
	sync
	echo 3 >/proc/sys/vm/drop_caches
	check "$what: mount again" mount "$device" /mnt
	check_equal "$what: the file is what it was" "$sum" "$(md5sum </mnt/file)"
	check "$what: umount again" umount /mnt
}

head -c "$plain" /dev/urandom >/tmp/data
for type in 1 3; do
	check "$label: a LUN with type $type" scuse create "pi$type" memory --size 64M --protection "$type" || continue
	device=$(scuse attach "pi$type" --loop) || { tap_not_ok "attach"; continue; }
	fields "$type"
	file_system "$type"
	check "$label: it goes" scuse rm "pi$type" --force
done
truncate -s 16M /tmp/plain.img
check_fails "$label: a handler that keeps none is refused" "protection" \
	scuse create none file /tmp/plain.img --protection 1
scuse create none memory --size 16M >/dev/null
device=$(scuse attach none --loop)
check_fails "$label: without protection RDPROTECT=1 is refused" "illegal request" read_wire 1 0 /tmp/back
check "$label: the last LUN goes" scuse rm none --force
tap_done
