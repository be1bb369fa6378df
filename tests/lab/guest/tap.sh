# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Cases within one guest: each prints one line, "ok - what" or "not ok - what", which `lab test` counts as a
# test of its own.  Sourced by the *.guest.sh scripts; they end with `tap_done`.
#
#	check WHAT COMMAND...		the command succeeds
#	check_fails WHAT PATTERN COMMAND...  it fails, and says PATTERN (extended regular expression)
#	check_equal WHAT WANTED SEEN
#
# What a failed case printed follows its line, indented by "# ".

tap_failed=0
tap_count=0

tap_ok() {
	tap_count=$((tap_count + 1))
	printf 'ok - %s\n' "$1"
}

tap_not_ok() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok - %s\n' "$1"
	if [ -n "${2:-}" ]; then
		printf '%s\n' "$2" | tail -n 40 | sed 's/^/# /'
	fi
}

check() {
	local what=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then
		tap_ok "$what"
	else
		tap_not_ok "$what" "exit status $status from: $*
$output"
		return 1
	fi
}

check_fails() {
	local what=$1 pattern=$2 output status=0
	shift 2
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then
		tap_not_ok "$what" "succeeded, but should not: $*
$output"
		return 1
	fi
	if ! grep -Eiq -- "$pattern" <<<"$output"; then
		tap_not_ok "$what" "failed as it should (status $status), but the message lacks /$pattern/: $*
$output"
		return 1
	fi
	tap_ok "$what: $(tail -n 1 <<<"$output" | cut -c 1-200)"
}

check_equal() {
	if [ "$2" = "$3" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1" "wanted: $2
seen:   $3"
		return 1
	fi
}

# Nothing counted is a failure too: a script that died early must not pass.
tap_done() {
	[ "$tap_count" -gt 0 ] && [ "$tap_failed" -eq 0 ]
	exit
}

# Wait until a command succeeds: wait_for SECONDS COMMAND...
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# How many LUNs there are; not a number if `scuse ls` itself fails, so that a failure is not taken for none.
listed_luns() {
	local json
	json=$(scuse ls --json) || { echo "scuse ls failed"; return; }
	grep -c '"name"' <<<"$json" || true
}
