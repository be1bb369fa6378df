#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of tools.test: tools.guest.sh LABEL
set -uo pipefail
label=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/lio.sh"
size=$((64 * 1024 * 1024))
blocks=$((size / 512))
work=/tmp/tools
mkdir -p "$work"

# What these tools print of data that they do not understand.
complaint='malformed|corrupt|unexpected|too short|truncated|failed|bad |wrong|error:|illegal|unknown|invalid (field|opcode|page|length|value)'
harmless='mapped (or unknown)' # sg_get_lba_status of any mapped range

# decodes WHAT COMMAND...: it succeeds and does not complain.  Its output stays in $output, for `has` and `lacks`.
decodes() {
	local what="$label: $1" status=0 complaints
	shift
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -ne 0 ]; then
		tap_not_ok "$what" "exit status $status from: $*
$output"
		return 1
	fi
	complaints=$(grep -Fv "$harmless" <<<"$output" | grep -Ei "$complaint")
	if [ -n "$complaints" ]; then
		tap_not_ok "$what" "$* says:
$output
which complains:
$complaints"
		return 1
	fi
	tap_ok "$what"
}

has() { # PATTERN...: $output has each of these extended regular expressions
	local pattern
	for pattern; do
		if grep -Eq -- "$pattern" <<<"$output"; then
			tap_ok "$label:   says /$pattern/"
		else
			tap_not_ok "$label:   says /$pattern/" "$output"
		fi
	done
}

lacks() {
	if grep -Eq -- "$1" <<<"$output"; then
		tap_not_ok "$label:   does not say /$1/" "$output"
	else
		tap_ok "$label:   does not say /$1/"
	fi
}

# fails WHAT STATUS COMMAND...: exit statuses of sg3-utils name the sense key (sg3_utils(8)).
fails() {
	local what="$label: $1" wanted=$2 status=0
	shift 2
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -eq "$wanted" ]; then
		tap_ok "$what"
	else
		tap_not_ok "$what" "exit status $status, wanted $wanted, from: $*
$output"
	fi
}
illegal_request=5 miscompare=14 out_of_range=22

pattern() { # FILE BLOCKS CHARACTER
	head -c $(($2 * 512)) /dev/zero | tr '\0' "$3" >"$work/$1"
}

holds() { # WHAT LBA BLOCKS CHARACTER, which may be \0
	local what="$label: $1" count
	count=$(dd if="$disk" bs=512 skip="$2" count="$3" iflag=direct status=none | tr -d "$4" | wc -c)
	check_equal "$what" 0 "$count"
}

put() { # LBA FILE
	dd if="$work/$2" of="$disk" bs=512 seek="$1" oflag=direct status=none
}

test_probe() {
	local messages
	# Levels below warning: the driver tells most of its doubts as notices.
	messages=$(dmesg | sed -n "s/.*\[${disk#/dev/}\] //p" | grep -Ev \
		'^([0-9]+ 512-byte logical blocks: .*|[0-9]+-byte physical blocks|Write Protect is off|Mode Sense: .*|Write cache: enabled, read cache: enabled, supports DPO and FUA|(Preferred minimum|Optimal transfer) .*|Attached SCSI disk)$')
	check_equal "$label: sd probes without a warning" "" "$messages"
	output=$(dmesg | grep "\[${disk#/dev/}\]")
	has "$blocks 512-byte logical blocks" 'Write cache: enabled, read cache: enabled, supports DPO and FUA'
	lacks 'Optimal transfer size .* (not a multiple|too big|too small)|Preferred minimum .* not a multiple'
}

test_inquiry() {
	decodes "sg_inq" sg_inq "$sg"
	has 'PQual=0 .*PDT=0 ' 'version=0x06 +\[SPC-4\]' 'Vendor identification: SCUSE' 'Product identification: scuse' \
		'CmdQue=1' 'HiSUP=1|hot_pluggable' 'Resp_data_format=2'
	decodes "sg_inq --descriptors" sg_inq --descriptors "$sg"
	has 'SAM-5' 'SPC-4' 'SBC-3'
	lacks 'NormACA=1'
	decodes "sg_luns" sg_luns "$sg"
	has 'Lun list length = 8|lun:|0000000000000000|1 lun'
	decodes "lsscsi" lsscsi -s
	has 'disk +SCUSE +scuse'
}

test_vpd() {
	local page
	decodes "sg_vpd -a" sg_vpd -a "$sg"
	decodes "sg_vpd of page 00h" sg_vpd -p sv "$sg"
	for page in sv sn di ei mpp sp bl bdc lbpv; do
		has "\\[$page\\]"
	done
	lacks '\[zbdc\]|\[zbdch\]'
	decodes "sg_vpd of page 80h" sg_vpd -p sn "$sg"
	has "$serial"
	decodes "sg_vpd of page 83h" sg_vpd -p di "$sg"
	has 'NAA' 'Addressed logical unit' 'Target port' 'Relative target port' 'Target port group'
	decodes "sg_vpd of page 86h" sg_vpd -p ei "$sg"
	has 'SIMPSUP=1' 'ORDSUP=1' 'HEADSUP=1' 'SPT=0'
	decodes "sg_vpd of page 87h" sg_vpd -p mpp "$sg"
	decodes "sg_vpd of page 88h" sg_vpd -p sp "$sg"
	has 'Relative port'
	decodes "sg_vpd of page B0h" sg_vpd -p bl "$sg"
	has 'Maximum compare and write length: [1-9]' 'Maximum unmap LBA count: ([1-9]|-1 \[unbounded\])' \
		'Maximum unmap block descriptor count: [1-9]' 'Maximum write same length: 0x[0-9a-f]*[1-9a-f]' \
		'Write same non-zero \(WSNZ\): 1' 'Maximum transfer length: [1-9]'
	decodes "sg_vpd of page B1h" sg_vpd -p bdc "$sg"
	has 'Non-rotating medium' 'WABEREQ=0' 'WACEREQ=0'
	decodes "sg_vpd of page B2h" sg_vpd -p lbpv "$sg"
	has '\(LBPU\): 1' '\(LBPWS\): 1' '\(LBPWS10\): 1' 'Provisioning type: 2 \(thin'
}

test_modes() {
	local page
	decodes "sg_modes -a, with subpages" sg_modes -a -a "$sg"
	has 'Read-Write error recovery' 'Caching' 'Control' 'Control [Ee]xtension' 'Power condition' \
		'Informational exceptions' 'WP=0, DpoFua=1'
	decodes "sg_modes, six bytes" sg_modes -6 -a "$sg"
	decodes "sg_modes of the changeable values" sg_modes -c 1 -p 0x8 "$sg"
	decodes "sg_modes of page 0Ah, subpage 01h" sg_modes -p 0xa,1 "$sg"
	# Not with --all: its exit status is that of the last page that sdparm knows, which we do not have.
	for page in rw coe po ie ca; do
		decodes "sdparm of page $page" sdparm --page="$page" "$sg"
	done
	has 'WCE +1'
	decodes "sdparm of page co" sdparm --page=co "$sg"
	has 'SWP +0' 'D_SENSE +0' 'TAS +' 'QERR +0' 'UA_INTLCK +0'
}

value() { # PAGE-CONTROL FIELD: the field's value as sdparm tells it: current, changeable, default, saved
	sdparm --get="$2" --long "$sg" | sed -nE \
		"s/.*\b$2 +([0-9]+) +\[cha: ([yn]), def: *([0-9]+)(, sav: *([0-9]+))?\].*/\1 \2 \3 \5/p" |
		awk -v control="$1" '{ print control == "current" ? $1 : control == "changeable" ? $2 : control == "default" ? $3 : $4 }'
}

test_sdparm() {
	local field
	for field in WCE SWP D_SENSE TAS; do
		check_equal "$label: $field can be changed" y "$(value changeable "$field")"
	done
	decodes "sdparm --set WCE=0" sdparm --set=WCE=0 "$sg"
	check_equal "$label: WCE is 0" 0 "$(value current WCE)"
	check_equal "$label: and its saved value is not" 1 "$(value saved WCE)"
	decodes "sdparm --set WCE=0 --save" sdparm --set=WCE=0 --save "$sg"
	check_equal "$label: the saved WCE is 0" 0 "$(value saved WCE)"
	check_equal "$label: the default is still 1" 1 "$(value default WCE)"
	# Not with --defaults: sdparm 1.12 looks at the wrong bit and does so with no device.
	decodes "sdparm --set WCE=1 --save" sdparm --set=WCE=1 --save "$sg"
	check_equal "$label: the current WCE is 1" 1 "$(value current WCE)"
	check_equal "$label: and so is the saved one" 1 "$(value saved WCE)"
	decodes "sdparm --set SWP=1" sdparm --set=SWP=1 "$sg"
	fails "a write to a LUN with SWP=1 is refused" 7 sg_write_same --16 --lba=0 --num=1 "$sg"
	output=$(sg_modes -p 0xa "$sg")
	has 'WP=1'
	decodes "sdparm --clear SWP" sdparm --clear=SWP "$sg"
	decodes "and then it is taken" sg_write_same --16 --lba=0 --num=1 "$sg"
}

test_logs() {
	decodes "sg_logs -a" sg_logs -a "$sg"
	decodes "sg_logs of the list of pages" sg_logs "$sg"
	has '0x00 ' '0x02 ' '0x03 ' '0x2f '
	decodes "sg_logs of the list of subpages" sg_logs --list --list "$sg"
	decodes "sg_logs of page 02h" sg_logs -p 0x2 "$sg"
	has 'Total bytes processed|Total uncorrected errors = 0'
	decodes "sg_logs of page 2Fh" sg_logs -p 0x2f "$sg"
	has 'IE asc = 0x0'
	decodes "sg_logs --reset" sg_logs --reset "$sg"
}

test_opcodes() {
	local code
	decodes "sg_opcodes" sg_opcodes "$sg"
	for code in 00 03 12 15 1a 1b 25 28 2a 2e 2f 34 35 37 41 42 4c 4d 55 5a 5e 5f 83 84 88 89 8a 8b 8e 8f 90 91 93 9e \
		a0 a3 a8 aa ae af b7; do
		has "^ *$code +"
	done
	decodes "sg_opcodes -a" sg_opcodes -a "$sg"
	decodes "sg_opcodes --rctd" sg_opcodes --rctd "$sg"
	has 'timeout'
	decodes "sg_opcodes of READ (16)" sg_opcodes --opcode=0x88 "$sg"
	has '88 .. ff ff ff ff ff ff ff ff ff ff ff ff .. 0[04]'
	decodes "sg_opcodes of READ CAPACITY (16)" sg_opcodes --opcode=0x9e --sa=0x10 "$sg"
	has '9e 10'
	decodes "sg_opcodes of READ CAPACITY (16), with time-outs" sg_opcodes --opcode=0x9e --sa=0x10 --rctd "$sg"
	output=$(sg_opcodes --opcode=0xa7 "$sg" 2>&1)
	has 'is NOT supported|not supported'
	decodes "sg_opcodes --tmf" sg_opcodes --tmf --repd "$sg"
	has 'Abort task' 'Logical unit reset'
}

test_capacity() {
	decodes "sg_readcap" sg_readcap "$sg"
	has "Last LBA=$((blocks - 1)) " 'Logical block length=512'
	decodes "sg_readcap -l" sg_readcap -l "$sg"
	has 'lbpme=1' 'lbprz=1' "Number of logical blocks=$blocks" 'prot_en=0' 'Lowest aligned LBA=0'
	decodes "sg_requests" sg_requests "$sg"
	decodes "sg_requests --desc" sg_requests --desc "$sg"
	decodes "sg_turs" sg_turs -n 5 "$sg"
	decodes "sg_rtpg" sg_rtpg --decode --extended "$sg"
	has 'target port group (id|asymmetric)' 'active/optimized'
}

test_persist() {
	decodes "sg_persist: register" sg_persist --out --register --param-sark=0x1234 "$sg"
	decodes "sg_persist: keys" sg_persist --in --read-keys "$sg"
	has '1 registered reservation key' '0x1234'
	decodes "sg_persist: reserve" sg_persist --out --reserve --param-rk=0x1234 --prout-type=5 "$sg"
	decodes "sg_persist: reservation" sg_persist --in --read-reservation "$sg"
	has 'Write Exclusive, registrants only'
	decodes "sg_persist: capabilities" sg_persist --in --report-capabilities "$sg"
	has 'Persist Through Power Loss Capable\(PTPL_C\): 1' 'Type Mask Valid\(TMV\): 1'
	decodes "sg_persist: full status" sg_persist --in --read-full-status "$sg"
	has '0x1234' 'Reservation holder'
	decodes "sg_persist: clear" sg_persist --out --clear --param-rk=0x1234 "$sg"
}

test_verify() {
	pattern a 8 A
	pattern b 1 B
	pattern mixed 7 A && cat "$work/b" >>"$work/mixed"
	put 0 a
	decodes "sg_verify without data" sg_verify --lba=0 --count=8 "$sg"
	decodes "sg_verify, BYTCHK 01b, the same data" sg_verify --lba=0 --count=8 --ndo=4096 --in="$work/a" "$sg"
	fails "sg_verify, BYTCHK 01b, other data" "$miscompare" sg_verify --lba=0 --count=8 --ndo=4096 --in="$work/mixed" "$sg"
	head -c 512 "$work/a" >"$work/one"
	decodes "sg_verify, BYTCHK 11b, the same block" sg_verify --lba=0 --count=8 --ndo=512 --ebytchk=3 --in="$work/one" "$sg"
	fails "sg_verify, BYTCHK 11b, another block" "$miscompare" sg_verify --lba=0 --count=8 --ndo=512 --ebytchk=3 --in="$work/b" "$sg"
	fails "sg_verify, BYTCHK 10b" "$illegal_request" sg_verify --lba=0 --count=8 --ndo=512 --ebytchk=2 --in="$work/b" "$sg"
	decodes "sg_verify (16), BYTCHK 01b" sg_verify --16 --lba=0 --count=8 --ndo=4096 --in="$work/a" "$sg"
	decodes "sg_write_verify" sg_write_verify --lba=100 --num=8 --in="$work/mixed" "$sg"
	decodes "sg_write_verify (16), BYTCHK 01b" sg_write_verify --16 --bytchk=1 --lba=108 --num=8 --in="$work/mixed" "$sg"
	holds "both were written: first blocks" 108 7 A
	holds "both were written: last block" 115 1 B
}

write_same() { # FORM: --10, --16 or --32
	local form=$1
	pattern a 64 A
	pattern b 1 B
	put 200 a
	decodes "sg_write_same $form" sg_write_same "$form" --lba=208 --num=16 --in="$work/b" "$sg"
	holds "its blocks" 208 16 B
	holds "the block before" 207 1 A
	holds "the block behind" 224 1 A
	decodes "sg_write_same $form --unmap" sg_write_same "$form" --unmap --lba=200 --num=64 "$sg"
	holds "zeros are read" 200 64 '\0'
	[ "$form" != --10 ] || return 0
	put 200 a
	decodes "sg_write_same $form --ndob" sg_write_same "$form" --ndob --lba=208 --num=16 "$sg"
	holds "zeros are read" 208 16 '\0'
	holds "the block before" 207 1 A
}

test_write_same() {
	write_same --10
	write_same --16
	fails "sg_write_same of 0 blocks (WSNZ)" "$illegal_request" sg_write_same --16 --lba=0 --num=0 "$sg"
}

# Commands of 32 bytes belong to protection information (SBC-3 4.22.2).
test_protection() {
	decodes "sg_readcap -l" sg_readcap -l "$sg"
	has 'prot_en=1, p_type=0'
	decodes "sg_inq" sg_inq "$sg"
	has 'Protect=1'
	decodes "sg_vpd of page 86h" sg_vpd -p ei "$sg"
	has 'GRD_CHK=1' 'REF_CHK=1'
	write_same --32
	decodes "sg_write_x --32" sg_write_x --normal --32 --ref-tag=600 --in="$work/a" --lba=600 --num=64 "$sg"
	holds "the blocks are written" 600 64 A
}

test_provisioning() {
	pattern a 128 A
	decodes "sg_unmap" sg_unmap --lba=4096 --num=4096 "$sg"
	put 4608 a
	decodes "sg_get_lba_status" sg_get_lba_status --lba=4096 --maxlen=256 "$sg"
	has '1000.*: +deallocated|0000000000001000 .*deallocated' '1200.*mapped'
	decodes "sg_get_lba_status, of a block" sg_get_lba_status --blockhex --brief --lba=4608 "$sg"
	fails "sg_get_lba_status beyond the end" "$out_of_range" sg_get_lba_status --lba="$blocks" "$sg"
	decodes "sg_unmap of what was written" sg_unmap --lba=4608 --num=128 "$sg"
	holds "zeros are read" 4608 128 '\0'
}

test_compare_and_write() {
	local blocks
	for blocks in 1 4 32; do
		pattern a "$blocks" A
		pattern b "$blocks" B
		put 300 a
		decodes "sg_compare_and_write, $blocks blocks, equal" sg_compare_and_write --in="$work/a" --inw="$work/b" \
			--lba=300 --num="$blocks" --xferlen=$((blocks * 1024)) "$sg"
		holds "they were written" 300 "$blocks" B
		fails "sg_compare_and_write, $blocks blocks, different" "$miscompare" sg_compare_and_write \
			--in="$work/a" --inw="$work/a" --lba=300 --num="$blocks" --xferlen=$((blocks * 1024)) "$sg"
		holds "they were not written" 300 "$blocks" B
	done
}

test_write_x() {
	pattern p 8 P # 50h
	printf '\x0f%.0s' $(seq 4096) >"$work/low"
	put 400 p
	decodes "sg_write_x --or" sg_write_x --or --16 --in="$work/low" --lba=400 --num=8 "$sg"
	holds "the bits are set" 400 8 '\137' # 5Fh
	decodes "sg_write_x --normal" sg_write_x --normal --16 --in="$work/p" --lba=400 --num=8 "$sg"
	holds "the blocks are written" 400 8 P
}

test_atomic() {
	decodes "sg_vpd of page B0h" sg_vpd -p bl "$sg"
	has 'Maximum atomic transfer length: [1-9]'
	pattern a 8 A
	decodes "sg_write_x --atomic" sg_write_x --atomic=0 --in="$work/a" --lba=400 --num=8 "$sg"
	holds "the blocks are written" 400 8 A
}

test_medium() {
	decodes "sg_sync" sg_sync "$sg"
	decodes "sg_seek --pre-fetch (10)" sg_seek --10 --pre-fetch --lba=0 --num-blocks=8 "$sg"
	decodes "sg_seek --pre-fetch (16)" sg_seek --pre-fetch --lba=0 --num-blocks=8 "$sg"
	decodes "sg_start --stop" sg_start --stop "$sg"
	fails "TEST UNIT READY of a stopped LUN" 2 sg_turs "$sg"
	output=$(sg_requests "$sg" 2>&1)
	has 'initializing command required|Not Ready'
	decodes "sg_start --start" sg_start --start "$sg"
	decodes "TEST UNIT READY again" sg_turs "$sg"
	fails "sg_start --eject of a medium that cannot be" "$illegal_request" sg_start --eject "$sg"
	decodes "sg_timestamp" sg_timestamp "$sg"
	decodes "sg_timestamp --milliseconds" sg_timestamp --milliseconds=1000000000000 "$sg"
	output=$(sg_timestamp "$sg")
	has '^10000000[0-9]{5}|10000000[0-9]{5}'
}

test_format() {
	pattern a 8 A
	put 500 a
	decodes "sg_format" sg_format --format --quick --wait "$sg"
	holds "a formatted LUN reads zeros" 500 8 '\0'
}

test_sanitize() {
	decodes "sg_vpd of page B1h" sg_vpd -p bdc "$sg"
	has 'WABEREQ=1' 'WACEREQ=1'
	pattern a 8 A
	put 500 a
	decodes "sg_sanitize --block" sg_sanitize --block --quick --wait "$sg"
	holds "a sanitized LUN reads zeros" 500 8 '\0'
	put 500 a
	decodes "sg_sanitize --crypto" sg_sanitize --crypto --quick --wait "$sg"
	put 500 a
	pattern x 1 X
	decodes "sg_sanitize --overwrite" sg_sanitize --overwrite --pattern="$work/x" --quick --wait "$sg"
	holds "the pattern is read" 500 8 X
}

# lun NAME HANDLER...: makes a LUN and sets $disk, $sg and $serial.
lun() {
	local name=$1
	shift
	check "$label: a LUN for the tools" scuse create "$name" "$@" --size "$size" || tap_done
	disk=$(scuse attach "$name" --loop) || { tap_not_ok "$label: attach --loop"; tap_done; }
	sg=$(scuse attach "$name" --loop --sg) || { tap_not_ok "$label: attach --loop --sg"; tap_done; }
	serial=$(sed -n 's/.*: //p' "$(lio_scuse "$name")/wwn/vpd_unit_serial")
}

groups() { # GROUP...
	local group
	for group; do
		[[ " ${TOOLS:-$*} " != *" $group "* ]] || "test_$group"
	done
}

lun onfile file "$work/disk.img" create=true
groups probe inquiry vpd modes sdparm logs opcodes capacity persist verify write_same provisioning compare_and_write \
	write_x medium format
lun inmemory memory
groups sanitize atomic
lun withpi memory --protection 1
groups protection
check "$label: the LUNs are removed" sh -c 'for lun in onfile inmemory withpi; do scuse rm $lun --force || exit; done'
tap_done
