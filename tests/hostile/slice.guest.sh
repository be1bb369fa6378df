#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of slice.test: slice.guest.sh SECONDS [SEED]
# Each part is a script of its own, which leaves nothing behind; races.guest.sh comes last as it unloads the module.
set -uo pipefail
seconds=$1 seed=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
failed=0
uname -r | sed 's/^/# kernel /'
part() {
	local begin=$SECONDS status=0
	"$here/$1.guest.sh" "${@:2}" || status=$?
	echo "# $1: $((SECONDS - begin)) s"
	[ "$status" -eq 0 ] || failed=1
}
[ ! -e /proc/self/fail-nth ] || part faults 1
part worker "$seconds" ${seed:+"$seed"}
part netlink $((seconds / 2)) ${seed:+"$seed"}
part races "$seconds" ${seed:+"$seed"}
exit "$failed"
