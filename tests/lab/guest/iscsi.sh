# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# open-iscsi as a second initiator within the guest.  Sourced by guest scripts.
#
#	iscsi_login URL		logs in to the URL that `scuse attach --iscsi` printed; prints /dev/sdX
#	iscsi_logout URL

iscsi_start() {
	pgrep -x iscsid >/dev/null && return 0
	modprobe iscsi_tcp
	mkdir -p /etc/iscsi /run/lock/iscsi
	if ! grep -q '^InitiatorName=' /etc/iscsi/initiatorname.iscsi 2>/dev/null; then
		echo "InitiatorName=iqn.2026-01.org.scuse:guest" >/etc/iscsi/initiatorname.iscsi
	fi
	iscsid >/dev/null 2>&1
	wait_for 20 iscsiadm -m session -P 0 || [ $? -eq 1 ]
}

iscsi_portal() { sed -E 's,^iscsi://([^/]+)/.*,\1,' <<<"$1"; }
iscsi_target() { sed -E 's,^iscsi://[^/]+/([^/]+)/.*,\1,' <<<"$1"; }

# The disk of a target: its SCSI device has the session's number in its path in sysfs.
iscsi_disk() {
	local target=$1 session path
	for session in /sys/class/iscsi_session/session*; do
		[ "$(cat "$session/targetname" 2>/dev/null)" = "$target" ] || continue
		for path in "$(readlink -f "$session/device")"/target*/*/block/sd*; do
			[ -e "$path" ] && basename "$path" && return 0
		done
	done
	return 1
}

iscsi_login() {
	local url=$1 portal target disk
	portal=$(iscsi_portal "$url")
	target=$(iscsi_target "$url")
	iscsi_start >/dev/null 2>&1
	iscsiadm -m node -o new -T "$target" -p "$portal" >/dev/null || return 1
	iscsiadm -m node -T "$target" -p "$portal" --login >/dev/null || return 1
	wait_for 30 iscsi_disk "$target" || return 1
	disk=/dev/$(iscsi_disk "$target")
	wait_for 20 test -b "$disk" || return 1
	echo "$disk"
}

iscsi_logout() {
	local target
	target=$(iscsi_target "$1")
	iscsiadm -m node -T "$target" --logout >/dev/null &&
		iscsiadm -m node -T "$target" -o delete >/dev/null
}
