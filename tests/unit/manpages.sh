#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manual pages say what the programs do: each handler's page has exactly the parameters of its table, and
# scuse-runner(8) the options of --help.  Pages are free of formatting errors, if man is there to tell.
#
# usage: manpages.sh SCUSE_RUNNER HANDLER_DIR SOURCE_DIR
set -eu
runner=$1 handlers=$2 source=$3
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in file memory null sg vchanger vtape; do
	page=$source/handlers/$name/scuse-$name.7
	"$runner" --plugin-dir "$handlers" --list-handlers | awk -v name="$name" '
		/^[a-z]/ { mine = $1 == name } mine && /^    [a-z][a-z0-9_-]*=/ { sub(/=.*/, ""); print $1 }' |
		sort >"$work/table"
	sed -n 's/^\.BR "*\([a-z][a-z0-9_-]*\)=.*/\1/p' "$page" | sort >"$work/page"
	if ! diff "$work/table" "$work/page" >"$work/diff"; then
		echo "$page and the table of handler $name differ:"; cat "$work/diff"; failed=1
	fi
done

"$runner" --help | grep -o -- '--[a-z-]*' | sort -u >"$work/help"
grep -o -- '^\.BR* .*\\-\\-[a-z\\-]*' "$source/runner/man/scuse-runner.8" | grep -o -- '\\-\\-[a-z\\-]*' | tr -d '\\' |
	sort -u >"$work/page"
if ! diff "$work/help" "$work/page" >"$work/diff"; then
	echo "scuse-runner(8) and --help differ:"; cat "$work/diff"; failed=1
fi

if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$source"/runner/man/*.[1-8] "$source"/handlers/*/*.7 || failed=1
elif command -v groff >/dev/null; then
	for page in "$source"/runner/man/*.[1-8] "$source"/handlers/*/*.7; do
		groff -man -ww -z -Tutf8 "$page" 2>"$work/errors"
		[ -s "$work/errors" ] && { cat "$work/errors"; failed=1; }
	done
fi
exit $failed
