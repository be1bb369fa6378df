#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The LUN of nexus.guest.sh and its exports: two iSCSI portal groups, open to all, with an access list for
# initiator a, and tcm_loop.  Sourced by nexus.guest.sh, and run by nexus-test as `setup.sh ACTION`:
#
#	setup.sh reload		takes all down, makes it anew with the same serial number
#	setup.sh resize BYTES
#	setup.sh real reset|resets|was-reset|inject OPTS|calm|happen
#			to the scsi_debug device that is passed through: what somebody else may do to it
#
# From the environment: SETUP_LUN, SETUP_SIZE, SETUP_CREATE: arguments of `scuse create` after the name, or
# "stock", for one of LIO's own ramdisk; SETUP_REAL: /dev/sdX, if a real device is behind the LUN; SETUP_HAPPEN:
# a command line after which the device behind the LUN has a unit attention to tell.

SETUP_IQN=iqn.2026-01.org.scuse.test:nexus
SETUP_PORTAL_1=127.0.0.1:3260
SETUP_PORTAL_2=127.0.0.1:3261
SETUP_WWN=naa.5001405000000001
SETUP_SERIAL=5c05e000-0000-4000-8000-000000000001
setup_target=/sys/kernel/config/target
setup_iscsi=$setup_target/iscsi/$SETUP_IQN
setup_loop=$setup_target/loopback/$SETUP_WWN/tpgt_1

setup_backstore() { echo "$setup_target"/core/*/"$SETUP_LUN"; }

setup_create() {
	if [ "$SETUP_CREATE" != stock ]; then
		# shellcheck disable=SC2086 # several arguments
		scuse create "$SETUP_LUN" $SETUP_CREATE --serial "$SETUP_SERIAL"
		return
	fi
	local stock=$setup_target/core/rd_mcp_0/$SETUP_LUN
	mkdir -p "$stock" && echo rd_pages=$((SETUP_SIZE / 4096)) >"$stock/control" && echo 1 >"$stock/enable" &&
		echo "$SETUP_SERIAL" >"$stock/wwn/vpd_unit_serial"
}

setup_remove() {
	if [ "$SETUP_CREATE" != stock ]; then
		scuse rm "$SETUP_LUN"
	else
		rmdir "$setup_target/core/rd_mcp_0/$SETUP_LUN" "$setup_target/core/rd_mcp_0"
	fi
}

# setup_group NUMBER PORTAL
setup_group() {
	local group=$setup_iscsi/tpgt_$1 portal=$2
	local acl=$group/acls/iqn.2026-01.org.scuse.test:a
	mkdir -p "$group/np/$portal" "$group/lun/lun_0" &&
		ln -s "$(setup_backstore)" "$group/lun/lun_0/nexus" &&
		echo 0 >"$group/attrib/authentication" &&
		echo 1 >"$group/attrib/generate_node_acls" &&
		echo 1 >"$group/attrib/cache_dynamic_acls" &&
		echo 0 >"$group/attrib/demo_mode_write_protect" &&
		mkdir -p "$acl/lun_0" && ln -s "$group/lun/lun_0" "$acl/lun_0/nexus" &&
		echo 1 >"$group/enable"
}

setup_drop_group() {
	local group=$setup_iscsi/tpgt_$1
	local acl=$group/acls/iqn.2026-01.org.scuse.test:a
	echo 0 >"$group/enable"
	rm -f "$acl/lun_0/nexus" && rmdir "$acl/lun_0" "$acl" &&
		rm -f "$group/lun/lun_0/nexus" && rmdir "$group/lun/lun_0" "$group"/np/* "$group"
}

setup_local() {
	mkdir -p "$setup_loop" && echo naa.6001405000000001 >"$setup_loop/nexus" &&
		mkdir "$setup_loop/lun/lun_0" && ln -s "$(setup_backstore)" "$setup_loop/lun/lun_0/nexus"
}

setup_drop_local() {
	rm -f "$setup_loop/lun/lun_0/nexus" && rmdir "$setup_loop/lun/lun_0" "$setup_loop" "${setup_loop%/*}"
}

# The SCSI address of the local LUN.
setup_address() {
	local address
	address=$(cat "$setup_loop/address") || return 1
	ls -d "/sys/class/scsi_device/$address:0" 2>/dev/null | sed 's,.*/,,' | grep .
}

setup_sg() { echo "/dev/$(ls "/sys/class/scsi_device/$(setup_address)/device/scsi_generic")"; }

# No driver but sg shall send commands of its own.
setup_local_ready() {
	local address
	address=$(setup_address) && [ -e "/dev/$(ls "/sys/class/scsi_device/$address/device/scsi_generic")" ] || return 1
	[ ! -e "/sys/bus/scsi/drivers/sd/$address" ] || echo "$address" >/sys/bus/scsi/drivers/sd/unbind
}

setup_wait() {
	local end=$((SECONDS + $1))
	shift
	until "$@" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

setup_up() {
	modprobe -a iscsi_target_mod tcm_loop sg && mkdir -p /var/target/pr /var/target/alua &&
		setup_create &&
		setup_group 1 "$SETUP_PORTAL_1" && setup_group 2 "$SETUP_PORTAL_2" &&
		setup_local && setup_wait 20 setup_local_ready
}

setup_down() {
	setup_drop_local && setup_drop_group 1 && setup_drop_group 2 && rmdir "$setup_iscsi" && setup_remove
}

setup_debug=/sys/bus/pseudo/drivers/scsi_debug

# A real device becomes larger by what it counts in.
setup_resize() {
	if [ -z "${SETUP_REAL:-}" ]; then
		scuse resize "$SETUP_LUN" "$1"
	else
		echo $(($(cat $setup_debug/virtual_gb) + 1)) >$setup_debug/virtual_gb
	fi
}

# scsi_debug tells of resets in the kernel's log, if it is asked to.
setup_resets() { dmesg | grep -c 'scsi_debug_device_reset' || true; }

setup_real() {
	case $1 in
	reset) sg_reset --device "$SETUP_REAL" ;;
	resets)
		echo 0x2000 >$setup_debug/opts
		setup_resets >/tmp/setup.resets
		;;
	was-reset) [ "$(setup_resets)" -gt "$(cat /tmp/setup.resets)" ] ;;
	# Some errors are only made of commands that take a while.
	inject) echo 10000 >$setup_debug/ndelay && echo "$2" >$setup_debug/opts && echo 1 >$setup_debug/every_nth ;;
	calm) echo 0 >$setup_debug/every_nth && echo 0 >$setup_debug/opts && echo 0 >$setup_debug/delay ;;
	happen) eval "$SETUP_HAPPEN" ;;
	*) return 2 ;;
	esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -uo pipefail
	case $1 in
	reload) setup_down && setup_up ;;
	resize) setup_resize "$2" ;;
	real) setup_real "${@:2}" ;;
	*) exit 2 ;;
	esac
fi
