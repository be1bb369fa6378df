#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kmod/rawtable.awk refuses tables that are wrong, with the number of the line, under each awk that there is,
# and these make the same of the table that is right.
#
# usage: rawtable.sh KMOD_DIR
set -u
awk_file=$1/rawtable.awk table=$1/raw.table
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# refuses WHAT LINE...: the last line is refused, as line N of the file, with a message that has WHAT in it
refuses() {
	what=$1
	shift
	printf '%s\n' "$@" >"$work/table"
	if $awk -f "$awk_file" "$work/table" >"$work/out" 2>"$work/err"; then
		echo "$awk: accepted: $*"; failed=1
	elif ! grep -q "table:$#: .*$what" "$work/err"; then
		echo "$awk: expected '$what' in line $#, got: $(cat "$work/err")"; failed=1
	fi
}

# accepts LINE...
accepts() {
	printf '%s\n' "$@" >"$work/table"
	if ! $awk -f "$awk_file" "$work/table" >"$work/out" 2>"$work/err" || [ -s "$work/err" ]; then
		echo "$awk: refused: $*: $(cat "$work/err")"; failed=1
	fi
}

check() {
	accepts 'D 12 - 6 mask in bytes@3/2 no_ua INQUIRY'
	accepts '# comment' '' 'D 12 - 6 refused in bytes@3/2 - INQUIRY ; for a reason'
	accepts 'D 5e 00 10 handler - - - ONE' 'T 5e 00 10 handler - - - TWO' '* 5e - 10 handler - - - REST'
	refuses '8 columns' 'D 12 - 6 mask in bytes@3/2 no_ua'
	refuses 'reason is missing' 'D 12 - 6 refused in bytes@3/2 - INQUIRY'
	refuses 'reason is missing' 'D 12 - 6 kernel in bytes@3/2 - INQUIRY'
	refuses 'semicolon' 'D 12 - 6 refused in bytes@3/2 - INQUIRY; why'
	refuses 'unknown types' 'DX 12 - 6 handler - - - NAME'
	refuses 'unknown types' 'DD 12 - 6 handler - - - NAME'
	refuses 'unknown types' '*! 12 - 6 handler - - - NAME'
	refuses 'operation code' 'D 1G - 6 handler - - - NAME'
	refuses 'operation code' 'D 012 - 6 handler - - - NAME'
	refuses 'service action' 'D 5e zz 10 handler - - - NAME'
	refuses 'service action' 'D 5e 20 10 handler - - - NAME'
	refuses 'another length' 'D 12 - 10 handler - - - NAME'
	refuses 'another length' 'D 88 - 12 handler - - - NAME'
	refuses 'unknown route' 'D 12 - 6 device - - - NAME'
	refuses 'unknown direction' 'D 12 - 6 handler inout bytes@3/2 - NAME'
	refuses 'direction without data' 'D 12 - 6 handler in - - NAME'
	refuses 'data without a direction' 'D 12 - 6 handler - bytes@3/2 - NAME'
	refuses 'both directions' 'D 12 - 6 handler both bytes@3/2 - NAME'
	refuses 'unknown rule' 'D 12 - 6 handler in words@3/2 - NAME'
	refuses 'not a place' 'D 12 - 6 handler in bytes@3 - NAME'
	refuses 'needs a place' 'D 12 - 6 handler in bytes - NAME'
	refuses 'has no place' 'D 12 - 6 handler in expected@3/2 - NAME'
	refuses 'within the CDB' 'D 12 - 6 handler in bytes@4/2 - NAME'
	refuses 'within the CDB' 'D 12 - 6 handler in bytes@0/2 - NAME'
	refuses 'within the CDB' 'D 7f 0001 32 handler in bytes@30/4 - NAME'
	refuses 'unknown flag' 'D 12 - 6 handler in bytes@3/2 quick NAME'
	refuses 'twice' 'D 12 - 6 handler in bytes@3/2 alone,alone NAME'
	refuses 'one of writes' 'D 12 - 6 handler in bytes@3/2 writes,shared NAME'
	refuses 'select needs' 'D 12 - 6 handler in bytes@3/2 select NAME'
	refuses 'read again' 'D 12 - 6 handler in bytes@3/2 parameters NAME'
	refuses 'commands of the handler' 'D 12 - 6 refused in bytes@3/2 writes NAME ; reason'
	refuses 'quotes' 'D 12 - 6 handler - - - A "NAME"'
	refuses 'out of order' 'D 12 - 6 handler - - - ONE' 'D 11 - 6 handler - - - TWO'
	refuses 'out of order' 'D 5e - 10 handler - - - ALL' 'D 5e 01 10 handler - - - ONE'
	refuses 'same command' 'D 12 - 6 handler - - - ONE' 'T 12 - 6 handler - - - TWO' \
		'* 12 - 6 handler - - - ALL'
	refuses 'same command' '*!T 5e 00 10 handler - - - ONE' 'TE 5e 00 10 handler - - - TWO'
}

tried=0
for awk in awk mawk gawk "busybox awk"; do
	$awk 'BEGIN { exit 0 }' >"$work/out" 2>&1 </dev/null || continue
	check
	$awk -f "$awk_file" "$table" >"$work/made.$tried" || failed=1
	cmp "$work/made.0" "$work/made.$tried" || failed=1
	tried=$((tried + 1))
done
[ "$tried" -gt 0 ] || failed=1
exit "$failed"
