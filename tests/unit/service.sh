#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The service's unit file is one that systemd takes without a remark.  usage: service.sh UNIT_FILE
set -eu
command -v systemd-analyze >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Where the executable and the manual pages will be, there may be nothing yet.
sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|; /^Documentation=/d' "$1" >"$work/scuse-runner.service"
said=$(systemd-analyze verify "$work/scuse-runner.service" 2>&1) || { echo "$said"; exit 1; }
# Other units of the machine's are not our business.
! echo "$said" | grep 'scuse-runner'
