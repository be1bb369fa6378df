#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of libiscsi.test: libiscsi.guest.sh [SUITE...].  One process a suite, so that one that hangs
# costs its limit and no more.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

families='^(Read|Write|ReadCapacity|TestUnitReady|Inquiry|Unmap|WriteSame|CompareAndWrite|ReportLUNs|Prin|Prout|Reserve6)'
expected=$here/libiscsi.expected
limit=100 # seconds a suite

suites() {
	iscsi-test-cu -l 2>/dev/null | sed -n 's/^SCSI\.\([^.]*\)$/\1/p' | grep -E "$families"
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

expectation() { # SUITE.TEST -> passed, failed, skipped or any
	awk -v name="$1" '$1 == name { print $2; found = 1; exit } END { if (!found) print "passed" }' "$expected"
}

run_suite() { # SUITE URL [MARK]: MARK tells a second run of a suite, on another LUN, from the first
	local suite=$1 url=$2 what=${3:-} log=/tmp/libiscsi-$1.log status=0 test state wanted seen=0
	timeout "$limit" iscsi-test-cu -d -v -t "SCSI.$suite" "$url" >"$log" 2>&1 || status=$?
	while read -r test state; do
		seen=$((seen + 1))
		total[$state]=$((${total[$state]:-0} + 1))
		wanted=$(expectation "$suite.$test$what")
		if [ "$wanted" = any ] || [ "$wanted" = "$state" ]; then
			tap_ok "libiscsi $suite.$test$what: $state${wanted:+ (expected: $wanted)}"
		else
			tap_not_ok "libiscsi $suite.$test$what: $state, expected: $wanted" \
				"$(awk -v t="$test" '/^ *Test: /{on = ($2 == t)} on' "$log")"
		fi
	done < <(results <"$log")
	if [ "$seen" -eq 0 ] || [ "$status" -eq 124 ]; then
		tap_not_ok "libiscsi $suite: the suite ran to its end" "exit status $status
$(cat "$log")"
	fi
}

declare -A total=()
scuse create suite memory --size 160M || { tap_not_ok "create"; tap_done; }
url=$(scuse attach suite --iscsi) || { tap_not_ok "attach --iscsi"; tap_done; }
echo "# $(suites | wc -l) suites against $url" >&2
for suite in ${*:-$(suites)}; do
	echo "# $suite" >&2
	run_suite "$suite" "$url"
done

# Some tests need a write-protected LUN.
if [ $# -eq 0 ]; then
	truncate -s 160M /tmp/protected.img
	check "libiscsi: a write-protected LUN" scuse create protected file /tmp/protected.img readonly=true
	run_suite ReadOnly "$(scuse attach protected --iscsi)" @protected
	check "libiscsi: the write-protected LUN is removed" scuse rm protected --force
fi
check "libiscsi: the LUN is removed" scuse rm suite --force
printf '# libiscsi: %d passed, %d failed, %d skipped, %d unfinished\n' "${total[passed]:-0}" "${total[failed]:-0}" \
	"${total[skipped]:-0}" "${total[unfinished]:-0}"
tap_done
