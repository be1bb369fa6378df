#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of sanitize.test.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
dmesg -n 1 # LIO tells of each CDB that it refuses

check "a LUN" scuse create lun memory --size 32M || tap_done
disk=$(scuse attach lun --loop) || { tap_not_ok "attach --loop"; tap_done; }

worker() { scuse show lun --json | jq -r '.. | .pid? // .worker? // empty' | head -1; }

# What a command without data, or with a parameter list from stdin, ends with: "good", or sense key, code, qualifier.
answer() { # BYTE... [< LIST]
	local list=/tmp/list out data=()
	cat >"$list"
	[ ! -s "$list" ] || data=(-s "$(stat -c %s "$list")" -i "$list")
	out=$(sg_raw "${data[@]}" "$disk" "$@" 2>&1)
	case $out in
	*"SCSI Status: Good"*) echo good ;;
	*) sed -n 's/.*Sense key: *//p; s/.*Additional sense: *//p' <<<"$out" | paste -sd/ ;;
	esac
}

fill() { dd if=/dev/urandom of="$disk" bs=64k count=16 oflag=direct 2>/dev/null; }
first_bytes() { dd if="$disk" bs=4096 count=1 iflag=direct 2>/dev/null | xxd -p -l 4; }

none=/dev/null
not_ready="Not Ready/Logical unit not ready, sanitize in progress"
failed="Medium Error/Sanitize command failed"
invalid_cdb="Illegal Request/Invalid field in cdb"
invalid_list="Illegal Request/Invalid field in parameter list"

# FORMAT UNIT
fill
check_equal "FORMAT UNIT without a list" good "$(answer 04 00 00 00 00 00 <$none)"
check_equal "FORMAT UNIT leaves zeros" 00000000 "$(first_bytes)"
check_equal "FORMAT UNIT with a header" good "$(printf '\0\0\0\0' | answer 04 10 00 00 00 00)"
check_equal "FORMAT UNIT with a long header" good "$(printf '\0\0\0\0\0\0\0\0' | answer 04 30 00 00 00 00)"
check_equal "FORMAT UNIT with protection that the LUN has not" "$invalid_cdb" "$(answer 04 80 00 00 00 00 <$none)"
check_equal "FORMAT UNIT with a defect list" "$invalid_list" "$(printf '\0\0\0\10' | answer 04 10 00 00 00 00)"
check_equal "FORMAT UNIT with options without FOV" "$invalid_list" "$(printf '\0\100\0\0' | answer 04 10 00 00 00 00)"
check_equal "FORMAT UNIT, IMMED" good "$(printf '\0\2\0\0' | answer 04 10 00 00 00 00)"
check "FORMAT UNIT, IMMED: it comes to an end" wait_for 60 sg_turs "$disk"

# SANITIZE
fill
check_equal "SANITIZE, BLOCK ERASE" good "$(answer 48 02 00 00 00 00 00 00 00 00 <$none)"
check_equal "BLOCK ERASE leaves zeros" 00000000 "$(first_bytes)"
fill
check_equal "SANITIZE, OVERWRITE" good "$(printf '\1\0\0\2\245\132' | answer 48 01 00 00 00 00 00 00 06 00)"
check_equal "OVERWRITE leaves the pattern" a55aa55a "$(first_bytes)"
check_equal "OVERWRITE, two passes, INVERT" good "$(printf '\202\0\0\2\245\132' | answer 48 01 00 00 00 00 00 00 06 00)"
check_equal "INVERT leaves the inverted pattern" 5aa55aa5 "$(first_bytes)"
check_equal "OVERWRITE without a pass" "$invalid_list" "$(printf '\0\0\0\1Z' | answer 48 01 00 00 00 00 00 00 05 00)"
check_equal "OVERWRITE without a list" "$invalid_cdb" "$(answer 48 01 00 00 00 00 00 00 00 00 <$none)"
check_equal "EXIT FAILURE MODE without a failure" "$invalid_cdb" "$(answer 48 1f 00 00 00 00 00 00 00 00 <$none)"

# A worker that is stopped takes long enough to look on.
kill -STOP "$(worker)"
check_equal "OVERWRITE, IMMED" good "$(printf '\36\0\0\1Z' | answer 48 81 00 00 00 00 00 00 05 00)"
check_equal "meanwhile TEST UNIT READY" "$not_ready" "$(answer 00 00 00 00 00 00 <$none)"
check_equal "meanwhile a second SANITIZE" "$not_ready" "$(answer 48 02 00 00 00 00 00 00 00 00 <$none)"
check_equal "meanwhile READ" "$not_ready" "$(answer 28 00 00 00 00 00 00 00 00 00 <$none)"
check_equal "meanwhile START STOP UNIT" "$not_ready" "$(answer 1b 00 00 00 01 00 <$none)"
check_equal "meanwhile START STOP UNIT, LOEJ" "$not_ready" "$(answer 1b 00 00 00 02 00 <$none)"
check "meanwhile INQUIRY" sg_inq "$disk"
progress() { [[ $(sg_requests "$disk" 2>&1) == *"Progress indication"* ]]; }
check "REQUEST SENSE tells how far it has got" progress
kill -CONT "$(worker)"
check "it comes to an end" wait_for 60 sg_turs "$disk"
check_equal "and leaves the pattern" 5a5a5a5a "$(first_bytes)"

# The next worker is handed what the dead one had not finished.
kill -STOP "$(worker)"
check_equal "OVERWRITE, IMMED, of a worker that dies" good "$(printf '\36\0\0\1K' | answer 48 81 00 00 00 00 00 00 05 00)"
kill -9 "$(worker)"
check "the next worker finishes it" wait_for 60 sg_turs "$disk"
check_equal "and leaves the pattern, too" 4b4b4b4b "$(first_bytes)"

# Unless it is not to be.
check "a LUN whose commands are not handed out again" scuse set lun --inflight-policy busy
kill -STOP "$(worker)"
check_equal "OVERWRITE, IMMED, again" good "$(printf '\36\0\0\1Z' | answer 48 81 00 00 00 00 00 00 05 00)"
kill -9 "$(worker)"
check "the next worker serves" wait_for 60 sg_inq "$disk"
check_equal "after the worker's death" "$failed" "$(sleep 3; answer 00 00 00 00 00 00 <$none)"
check_equal "EXIT FAILURE MODE without AUSE" "$invalid_cdb" "$(answer 48 1f 00 00 00 00 00 00 00 00 <$none)"
check_equal "FORMAT UNIT after a failed SANITIZE" "$failed" "$(answer 04 00 00 00 00 00 <$none)"
check_equal "SANITIZE after a failed one" good "$(answer 48 03 00 00 00 00 00 00 00 00 <$none)"
check_equal "then the medium is ready" good "$(answer 00 00 00 00 00 00 <$none)"

kill -STOP "$(worker)"
check_equal "OVERWRITE, IMMED, AUSE" good "$(printf '\36\0\0\1Z' | answer 48 a1 00 00 00 00 00 00 05 00)"
kill -9 "$(worker)"
sleep 5
check_equal "after the worker's death, again" "$failed" "$(answer 00 00 00 00 00 00 <$none)"
check_equal "EXIT FAILURE MODE" good "$(answer 48 1f 00 00 00 00 00 00 00 00 <$none)"
check_equal "then the medium is ready, again" good "$(answer 00 00 00 00 00 00 <$none)"

# The LUN goes while it is being sanitized.
kill -STOP "$(worker)"
check_equal "OVERWRITE, IMMED, before the end" good "$(printf '\36\0\0\1Z' | answer 48 81 00 00 00 00 00 00 05 00)"
check "the LUN is removed" scuse rm lun --force
check "and can be made again" scuse create lun memory --size 16M
check "and removed again" scuse rm lun --force
tap_done
