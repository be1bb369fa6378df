#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of readme.test: readme.guest.sh NUMBERS.SO
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

install -m 755 "$1" "$SCUSE_PLUGIN_DIR/numbers.so"
pkill -HUP -x scuse-runner
check "the README's handler is found" wait_for 10 sh -c 'scuse handlers | grep -q "^numbers"'
seen=$(scuse run numbers --size 1M -- sh -c 'dd if=$SCUSE_DEV bs=512 skip=7 count=1 status=none | od -An -tu8 | head -1' | tr -s ' ')
check_equal "block 7 holds sevens" " 7 7" "$seen"
check_fails "it has no write: the disk is write-protected" "read-only|not permitted|protected" \
	scuse run numbers --size 1M -- sh -c 'dd if=/dev/zero of=$SCUSE_DEV bs=512 count=1 oflag=direct'
check_equal "nothing is left of the runs" 0 "$(listed_luns)"
tap_done
