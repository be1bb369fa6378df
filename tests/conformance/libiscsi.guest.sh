#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of libiscsi.test: libiscsi.guest.sh TARGET... [-- SUITE...]
#
# TARGET is memory or file (handlers of scuse), protected (the file handler, write-protected: suite ReadOnly alone),
# fileio or rd_mcp (LIO's own backstores, whose results are only told, not judged).  The targets are worked through side
# by side, one process a suite, so that one that hangs costs its limit and no more.
#
# Each test's result is a line "# result TARGET FAMILY SUITE TEST passed|failed|skipped|unfinished"; those of scuse
# are held against libiscsi.expected besides, a case each.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/lio.sh"

expected=$here/libiscsi.expected
tool=${ISCSI_TEST_CU:-iscsi-test-cu} # another edition of the suite can be tried
limit=150                   # seconds a suite
bytes=$((160 * 1024 * 1024)) # Read10.Async and Write10.Async want 8000 blocks, of whatever size
work=/tmp/libiscsi
initiators=(iqn.2026-01.org.scuse:suite-{1,2}) # the suite plays two
mkdir -p "$work"

# All suites as FAMILY.SUITE, those of the iSCSI protocol last, as they leave connections in disorder.  Tests of Reserve6
# that fail leave a reservation to those behind them, so they are run each by itself.
suites() { # TARGET
	local all alone='SCSI\.Reserve6'
	[ "$1" != protected ] || { echo SCSI.ReadOnly && return; }
	all=$("$tool" -l 2>/dev/null)
	grep -E "^SCSI\.[^.]*$|^$alone\." <<<"$all" | grep -vE "^$alone$"
	grep -E '^iSCSI\.[^.]*$' <<<"$all"
}

# iSCSIDataSnInvalid waits for ever for a target that, as RFC 7143 6.7 allows, drops the command or the connection.
limit_of() {
	case $1 in
	*iSCSIdatasn) echo 30 ;;
	*) echo "$limit" ;;
	esac
}

# CUnit's report of a suite as lines "TEST passed|failed|skipped".  It counts a skipped test as passed; we do not.
results() {
	awk '
		function finish() { if (test != "") print test, state; test = "" }
		/^ *Test: / {
			finish()
			test = $2; state = "unfinished"
		}
		test != "" {
			if (/\[SKIPPED\]/) skipped[test] = 1
			if (/(^|[.])passed/) { state = (test in skipped) ? "skipped" : "passed"; finish() }
			else if (/(^|[.])FAILED/) { state = "failed"; finish() }
		}
		END { finish() }
	'
}

expectation() { # TARGET SUITE.TEST -> passed, failed, skipped, unfinished or any
	awk -v target="$1" -v name="$2" '
		$1 == name && found == "" { found = $2 }
		$1 == name "@" target { found = $2; exit }
		END { print found == "" ? "passed" : found }' "$expected"
}

# Prints the URLs of a target: two portal groups, which are two target ports.  Each initiator has an access list (lio.sh),
# but on what is write-protected: there it would make LIO refuse writes before they reach the LUN.
make_target() {
	local name=$1 iqn=iqn.2026-01.org.scuse:$1 port backstore group url
	port=$((3260 + 10 * $2))
	case $name in
	memory) scuse create memory memory --size "$bytes" >&2 ;;
	file) scuse create file file "$work/file.img" create=true --size "$bytes" >&2 ;;
	protected)
		truncate -s "$bytes" "$work/protected.img"
		scuse create protected file "$work/protected.img" readonly=true >&2
		;;
	fileio) backstore=$(lio_fileio "$name" "$work/fileio.img" "$bytes") ;;
	rd_mcp) backstore=$(lio_ramdisk "$name" "$bytes") ;;
	*) echo "no such target: $name" >&2 && false ;;
	esac || return 1
	for group in 1 2; do
		url=$(lio_iscsi "${backstore:-$(lio_scuse "$name")}" "$iqn" "$group" $((port + group - 1))) || return 1
		[ "$name" = protected ] || lio_acl "$url" "${initiators[@]}" || return 1
		echo "$url"
	done
}

# Leaves $work/TARGET/SUITE.log and .status.  Runs in the background.
run_target() { # TARGET URL URL SUITE...
	local target=$1 first=$2 second=$3 suite start urls
	shift 3
	mkdir -p "$work/$target"
	for suite; do
		start=$SECONDS
		urls=("$first")
		[[ $suite != *.MultipathIO ]] || urls+=("$second")
		timeout "$(limit_of "$suite")" "$tool" -d -S -v -i "${initiators[0]}" -I "${initiators[1]}" -t "$suite" \
			"${urls[@]}" >"$work/$target/$suite.log" 2>&1
		echo $? >"$work/$target/$suite.status"
		echo "# $target: $suite took $((SECONDS - start)) s" >&2
	done
}

judge_test() { # TARGET SUITE TEST STATE LOG
	local target=$1 name=$2.$3 state=$4 wanted
	wanted=$(expectation "$target" "$name")
	if [ "$wanted" = any ] || [ "$wanted" = "$state" ]; then
		tap_ok "libiscsi on $target: $name: $state (expected: $wanted)"
	else
		tap_not_ok "libiscsi on $target: $name: $state, expected: $wanted" \
			"$(awk -v t="$3" '/^ *Test: /{on = ($2 == t)} on' "$5")"
	fi
}

report_suite() { # TARGET FAMILY.SUITE[.TEST]
	local target=$1 suite=$2 log=$work/$1/$2.log status test state seen=0
	local family=${suite%%.*} short=${suite#*.}
	short=${short%%.*}
	status=$(cat "$work/$target/$suite.status" 2>/dev/null)
	while read -r test state; do
		seen=$((seen + 1))
		echo "# result $target $family $short $test $state"
		case $target in
		fileio | rd_mcp) ;;
		*) judge_test "$target" "$short" "$test" "$state" "$log" ;;
		esac
	done < <(results <"$log")
	if [ "$seen" -eq 0 ]; then
		tap_not_ok "libiscsi on $target: $suite was run" "exit status $status
$(cat "$log")"
	fi
}

targets=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	targets+=("$1")
	shift
done
[ $# -eq 0 ] || shift
dmesg -n 1 # LIO tells of each CDB that it refuses

for i in "${!targets[@]}"; do
	target=${targets[i]}
	mapfile -t urls < <(make_target "$target" "$i")
	if [ "${#urls[@]}" -ne 2 ]; then
		tap_not_ok "libiscsi on $target: the target"
		continue
	fi
	mapfile -t todo < <(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else suites "$target"; fi)
	run_target "$target" "${urls[@]}" "${todo[@]}" &
done
wait

for target in "${targets[@]}"; do
	for log in "$work/$target"/*.log; do
		report_suite "$target" "$(basename "$log" .log)"
	done
	case $target in
	fileio | rd_mcp) ;;
	*)
		lio_unexport "iqn.2026-01.org.scuse:$target" 2
		lio_remove_acls "$lio_root/iscsi/iqn.2026-01.org.scuse:$target/tpgt_1"
		check "libiscsi on $target: the LUN is removed" scuse rm "$target" --force
		;;
	esac
done
tap_done
