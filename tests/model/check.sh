#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Checks one form of a model exhaustively with spin:
#
#	check.sh holds|fails FILE [-DNAME...]
#
# Prints a test case with the number of states; on a surprise, also spin's trail.  A form that is given up for want of
# memory counts as wrong.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
expected=$1 file=$here/$2
shift 2
name="model $(basename "$file" .pml) ${*:--}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

spin -a "$@" "$file" >spin.log || { cat spin.log && echo "not ok - $name: spin does not take it" && exit 1; }
gcc -O2 -w -DSAFETY -DNOFAIR -DCOLLAPSE -DMEMLIM=2048 -o pan pan.c
./pan -m200000 >pan.log 2>&1 || true
states=$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' pan.log)
why=$(sed -nE 's/^pan:1: (.*) \(at depth.*/\1/p' pan.log | head -n 1)
if grep -qE 'max search depth too small|out of memory|memory limit' pan.log; then
	verdict=incomplete
elif grep -qE 'errors: 0$' pan.log; then
	verdict=holds
elif grep -qE 'errors: [1-9]' pan.log; then
	verdict=fails
else
	verdict=unknown
fi
if [[ $verdict == "$expected" ]]; then
	echo "ok - $name: $verdict, $states states${why:+ ($why)}"
	exit 0
fi
echo "not ok - $name: $verdict, not $expected; $states states${why:+ ($why)}"
sed 's/^/# /' pan.log
[[ ! -e $(basename "$file").trail ]] || spin -t -p -g "$@" -k "$(basename "$file").trail" "$file" 2>&1 | tail -n 400 | sed 's/^/# /'
exit 1
