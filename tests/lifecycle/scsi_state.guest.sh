#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of scsi_state.test.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/iscsi.sh"

show() { scuse show d --json | jq -r "$1"; }
# The initiator port of a local disk: what its target's directory says.
initiator_of() {
	local address file
	address=$(basename "$(readlink -f "/sys/block/${1#/dev/}/device")")
	for file in /sys/kernel/config/target/loopback/*/tpgt_1/address; do
		[ "$(cat "$file")" = "${address%:*}" ] && cat "${file%address}nexus"
	done
}
nexus_of() { show ".nexuses[] | select(.initiator == \"$1\") | .nexus"; }
pending() { show ".nexuses[] | select(.nexus == $1) | [.unit_attentions[] | \"\(.asc)/\(.ascq)\"] | join(\" \")"; }
# Every event of a type, one a line, by a filter.
events() { jq -r "select(.event == \"$1\") | $2" /tmp/events; }
event_came() { events "$1" "$2" | grep -qx "$3"; }
clear_attentions() {
	local disk
	for disk in "$@"; do
		for _ in 1 2 3 4 5 6; do sg_turs "$disk" >/dev/null 2>&1 && break; done
	done
	return 0
}

scuse monitor --json >/tmp/events 2>&1 &
sleep 1
check "a LUN" scuse create d memory --size 16M
check_equal "nobody can address it yet" 0 "$(show '.nexuses | length')"
first=$(scuse attach d --loop)
second=$(scuse attach d --loop --new)
url=$(scuse attach d --iscsi)
third=$(iscsi_login "$url")
check_equal "three nexuses" 3 "$(show '.nexuses | length')"
check_equal "of two fabrics" "iSCSI loopback loopback" "$(show '[.nexuses[].fabric] | sort | join(" ")')"
one=$(nexus_of "$(initiator_of "$first")")
two=$(nexus_of "$(initiator_of "$second")")
three=$(show '.nexuses[] | select(.fabric == "iSCSI") | .nexus')
check_equal "by name" "$(sed -n s/^InitiatorName=//p /etc/iscsi/initiatorname.iscsi)" \
	"$(show ".nexuses[] | select(.nexus == $three) | .initiator | split(\",\")[0]")"
clear_attentions "$first" "$second" "$third"
check_equal "nothing is pending" "" "$(pending "$one")$(pending "$two")$(pending "$three")"

check "one of them changes a mode page" sdparm --quiet --set D_SENSE=1 "$first"
check_equal "it is not told" "" "$(pending "$one")"
check_equal "the second is" 42/1 "$(pending "$two")"
check_equal "the third is" 42/1 "$(pending "$three")"
check "people can read it" sh -c 'scuse show d | grep "pending unit attention 2Ah/01h (Mode parameters changed)"'
check "the monitor has seen who is spared" wait_for 5 event_came unit-attention '"\(.asc)/\(.ascq) \(.spared_nexus) \(.meaning)"' \
	"42/1 $one Mode parameters changed"
check "and what has changed" event_came mode-changed .mode.d_sense 1
clear_attentions "$second"
check_equal "who was told has nothing pending any more" "" "$(pending "$two")"
check_equal "who was not still has it" 42/1 "$(pending "$three")"
clear_attentions "$third"

check "a new size" scuse resize d 32M
# The local disks were looked at again by resize itself, and so have been told.
check_equal "is news for who has not asked since" 42/9 "$(pending "$three")"
check "and so says the monitor" wait_for 5 event_came unit-attention '"\(.asc)/\(.ascq) \(.spared_nexus)"' "42/9 null"
clear_attentions "$first" "$second" "$third"

check_equal "no reservation" "0 0" "$(show '"\(.reservation.type) \(.reservation.registrants | length)"')"
sg_persist --no-inquiry --out --register --param-sark=0xabcdef0123456789 "$second" >/dev/null
sg_persist --no-inquiry --out --register --param-sark=0x123 "$third" >/dev/null
check_equal "two registrants, nothing reserved" "0 2" "$(show '"\(.reservation.type) \(.reservation.registrants | length)"')"
sg_persist --no-inquiry --out --reserve --param-rk=0xabcdef0123456789 --prout-type=5 "$second" >/dev/null
check_equal "a reservation" "Write Exclusive, Registrants Only" "$(show .reservation.type_name)"
check_equal "its holder" "$(initiator_of "$second") 0xabcdef0123456789" \
	"$(show '.reservation.registrants[] | select(.holder) | "\(.initiator) \(.key)"')"
check_equal "the other registrant" "0x123" "$(show '.reservation.registrants[] | select(.holder | not) | .key')"
check_equal "its generation" 2 "$(show .reservation.generation)"
check "people can read it" sh -c 'scuse show d | grep -A1 "^reservation *Write Exclusive, Registrants Only (generation 2)" |
	grep "holder: loopback naa.*, key 0xabcdef0123456789"'
check "the monitor has seen it" wait_for 5 event_came reservation .lun.name d
clear_attentions "$third"
sg_persist --no-inquiry --out --release --param-rk=0xabcdef0123456789 --prout-type=5 "$second" >/dev/null
check_equal "who may care is told of its release" 42/4 "$(pending "$three")"
sg_persist --no-inquiry --out --clear --param-rk=0xabcdef0123456789 "$second" >/dev/null
check_equal "all is cleared" "0 0" "$(show '"\(.reservation.type) \(.reservation.registrants | length)"')"
clear_attentions "$first" "$second" "$third"

check "a reservation of SPC-2" sg_raw "$first" 16 00 00 00 00 00
check_equal "is shown" "SPC-2 RESERVE" "$(show .reservation.type_name)"
check_equal "with its holder" "$(initiator_of "$first") null" "$(show '.reservation.registrants[0] | "\(.initiator) \(.key)"')"
check "and released" sg_raw "$first" 17 00 00 00 00 00
check_equal "is gone" 0 "$(show .reservation.type)"

iscsi_logout "$url"
check "the nexus goes with its session" wait_for 10 sh -c '[ "$(scuse show d --json | jq ".nexuses | length")" = 2 ]'
check "rm" scuse rm d --force
tap_done
