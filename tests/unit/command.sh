#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# scuse-runner's command line: options, lists of good and broken plugins, dry runs and their messages.
#
# usage: command.sh SCUSE_RUNNER HANDLER_DIR PLUGIN_DIR
set -u
runner=$1 handlers=$2 plugins=$3
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# expect STATUS TEXT ARGUMENT...: the exit status, and a text in the output.
expect() {
	status=$1 text=$2
	shift 2
	"$runner" "$@" >"$work/out" 2>&1
	got=$?
	if [ $got -ne "$status" ] || { [ -n "$text" ] && ! grep -qF -- "$text" "$work/out"; }; then
		echo "FAILED: scuse-runner $*: status $got (not $status), or without '$text':"
		cat "$work/out"
		failed=1
	fi
}

# abi MAJOR|MINOR: what the header for handlers says.
abi() {
	sed -n "s/^#define SCUSE_HANDLER_ABI_$1 //p" "$(dirname "$0")/../../include/scuse/handler.h"
}

expect 0 "usage: scuse-runner" --help
expect 0 "handler ABI $(abi MAJOR).$(abi MINOR)" --version
expect 2 "is not an option" --nonsense
expect 2 "--log-level: 'loud' is not valid" --log-level loud
expect 2 "unexpected argument 'x'" x
expect 2 "started by scuse-runner itself" --worker </dev/null 3<&- 4<&-

expect 0 "memory 1.2: thin disk" --plugin-dir "$handlers" --list-handlers
expect 0 '"name":"file"' --plugin-dir "$handlers" --list-handlers --json
expect 0 "no plugins in $work" --plugin-dir "$work" --list-handlers
# A plugin that crashes is a line of the list, as are those that are refused.
expect 0 "crash-load: broken: it crashed (killed by SIGABRT)" --plugin-dir "$plugins" --list-handlers
expect 0 "newer-major: broken: plugin" --plugin-dir "$plugins" --list-handlers
expect 0 "good 1: for tests" --plugin-dir "$plugins" --list-handlers
expect 0 '"error":"it crashed' --plugin-dir "$plugins" --list-handlers --json

validate="--plugin-dir $handlers --validate"
expect 0 "" $validate memory --size 1G
expect 1 "add --size" $validate memory
expect 1 "not a multiple of the block size, 4096" $validate memory --size 1000 --block-size 4096
expect 2 "it takes 512, 1024, 2048 or 4096" $validate memory --size 1G --block-size 1000
expect 2 "it takes a size in bytes" $validate memory --size huge
expect 1 "there is no handler 'nosuch'" $validate nosuch
expect 1 "needs the parameter 'path'" $validate file
expect 1 "did you mean 'path'" $validate file pth=x
expect 1 "create=true (with a size) makes it" $validate file "$work/lun"
expect 0 "" $validate file "$work/lun" create=true --size 1M
[ -e "$work/lun" ] && { echo "FAILED: a dry run made a file"; failed=1; }
exit $failed
