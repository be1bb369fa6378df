# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Devices of the kernel's scsi_debug, to be passed through.  Sourced by guest scripts.
#
#	debug_up TYPE [PARAMETER=VALUE...]	makes one device of an SPC-4 peripheral device type; sets $debug (H:C:T:L)
#	debug_down				takes it away; fails while somebody has it
#	debug_sg, debug_node			/dev/sgN; /dev/sdX, /dev/srN, /dev/nstN
#	debug_set NAME VALUE			a parameter that can be changed
#	loop_sg NAME				/dev/sgN of the LUN on tcm_loop

debug_root=/sys/bus/pseudo/drivers/scsi_debug

debug_find() {
	local device
	for device in /sys/bus/pseudo/devices/adapter*/host*/target*/*:*:*:*; do
		[ -d "$device/scsi_generic" ] || continue
		debug=${device##*/}
		return 0
	done
	return 1
}

debug_up() {
	local type=$1
	shift
	# Not every kernel has it; sg, which a CD is passed through by, is there anyhow.
	modprobe -q sr_mod || true
	modprobe -a sg sd_mod st && modprobe scsi_debug ptype="$type" delay=0 "$@" || return 1
	wait_for 20 debug_ready "$type" && debug_find
}

# Disks, tapes and CDs have a node of their own beside sg's, a moment later; changers and what has no driver have none.
debug_ready() {
	debug_find && { [ "$1" = 8 ] || { [ "$1" = 5 ] && [ ! -d /sys/bus/scsi/drivers/sr ]; } || debug_node; }
}

# The ch driver keeps hold of the module of any changer that it has seen.
debug_down() {
	rmmod ch 2>/dev/null || true
	wait_for 20 modprobe -r scsi_debug
}

debug_sg() { echo "/dev/$(ls "/sys/class/scsi_device/$debug/device/scsi_generic")"; }

debug_node() {
	local node
	for node in "/sys/class/scsi_device/$debug"/device/{block,scsi_tape}/*; do
		# Of a tape's nodes, nstN is the plain one that does not rewind.
		[[ ${node##*/} =~ ^(nst[0-9]+|s[dr][a-z0-9]+)$ ]] || continue
		echo "/dev/${node##*/}"
		return 0
	done
	return 1
}

debug_set() { echo "$2" >"$debug_root/$1"; }

loop_sg() {
	local node link
	node=$(scuse show "$1" --json | jq -r '.exports[].places[]' | grep -m 1 '^/dev/') || return 1
	case $node in
	/dev/sg*) echo "$node" ;;
	*) for link in /sys/class/{block,scsi_tape,scsi_changer}/"${node##*/}"/device/scsi_generic/sg*; do
		[ ! -e "$link" ] || echo "/dev/${link##*/}"
	done ;;
	esac
}
