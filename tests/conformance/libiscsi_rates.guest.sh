#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of libiscsi_rates.test: libiscsi_rates.guest.sh ROUNDS
set -uo pipefail
rounds=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/lio.sh"
bytes=$((32 * 1024 * 1024))
dmesg -n 1

declare -A url=() failed=()
check "a LUN" scuse create memory memory --size "$bytes" || tap_done
url[memory]=$(lio_iscsi "$(lio_scuse memory)" iqn.2026-01.org.scuse:memory 1 3260)
url[rd_mcp]=$(lio_iscsi "$(lio_ramdisk rd_mcp "$bytes")" iqn.2026-01.org.scuse:rd_mcp 1 3270)

# The suite as a whole, in which one test can leave a reservation to the next, and each test alone.
for ((round = 0; round < rounds; round++)); do
	for target in memory rd_mcp; do
		for what in Reserve6 Reserve6.Logout Reserve6.ITNexusLoss; do
			timeout 60 iscsi-test-cu -d -v -t "SCSI.$what" "${url[$target]}" >/tmp/rates.log 2>&1
			grep -Eq '^ *tests +[0-9]+ +[0-9]+ +[0-9]+ +0 ' /tmp/rates.log ||
				failed[$what@$target]=$((${failed[$what@$target]:-0} + 1))
		done
	done
done

# Chance alone makes two rates of the same cause differ by a third of the rounds once in a hundred runs of this test.
for what in Reserve6 Reserve6.Logout Reserve6.ITNexusLoss; do
	ours=${failed[$what@memory]:-0} stock=${failed[$what@rd_mcp]:-0}
	said="$what fails $ours times in $rounds on scuse, $stock times on rd_mcp"
	if ((ours <= stock + rounds / 3)); then
		tap_ok "$said"
	else
		tap_not_ok "$said"
	fi
done
check "the LUN is removed" scuse rm memory --force
tap_done
