# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# LIO's own backstores, to hold scuse against, and exports that `scuse attach` does not make, through configfs.
# Sourced by guest scripts.  BACKSTORE is a directory below core/ in configfs.
#
#	lio_fileio NAME PATH BYTES	makes a thin fileio backstore; prints BACKSTORE
#	lio_ramdisk NAME BYTES		makes a rd_mcp backstore; prints BACKSTORE
#	lio_scuse NAME			prints the BACKSTORE of a LUN that `scuse create` made
#	lio_iscsi BACKSTORE IQN GROUP PORT
#					exports it as LUN 0 of a target portal group on 127.0.0.1; prints its URL.
#					A second group of an IQN is a second target port of the same target
#	lio_loop BACKSTORE WWN		exports it as LUN 0 of a local target naa.WWN; prints /dev/sgN
#	lio_unexport IQN GROUP		takes an iSCSI export away again
#	lio_acl URL INITIATOR...	lets these in by access lists of their own, without pings (below)
#	lio_drop_acls URL...		ends their sessions and removes the lists
#
# LIO asks a session every 15 seconds whether it is alive: a NOP-In.  libiscsi 1.19 answers it with a NOP-Out that
# takes the CmdSN of the PDU at the head of its queue (iscsi_add_to_outqueue()).  When that is a Data-Out PDU of a command
# the target has taken long ago, the number is below ExpCmdSN, and iscsi_write_to_socket() gives the session up:
# "outqueue[0]->cmdsn < expcmdsn ... opcode 00".  A session on libiscsi that writes more than goes with the command itself
# must therefore not be pinged.  Only an access list has the knob: what is open to all takes LIO's defaults.

lio_root=/sys/kernel/config/target

lio_start() {
	mkdir -p /var/target/pr /var/target/alua /etc/target
	modprobe target_core_mod
	modprobe "$1"
}

lio_enable() { # BACKSTORE NAME
	echo 1 >"$1/enable" || return 1
	printf '%s' "$2" >"$1/wwn/vpd_unit_serial"
}

lio_fileio() {
	local dir=$lio_root/core/fileio_0/$1
	lio_start target_core_file && mkdir -p "$dir" || return 1
	truncate -s "$3" "$2"
	printf 'fd_dev_name=%s,fd_dev_size=%s' "$2" "$3" >"$dir/control" || return 1
	lio_enable "$dir" "$1" || return 1
	# After `enable`: before it, 6.1 follows a null pointer.
	echo 1 >"$dir/attrib/emulate_tpu"
	echo 1 >"$dir/attrib/emulate_tpws"
	echo "$dir"
}

lio_ramdisk() {
	local dir=$lio_root/core/rd_mcp_0/$1
	lio_start target_core_mod && mkdir -p "$dir" || return 1
	printf 'rd_pages=%s' $(($2 / 4096)) >"$dir/control" || return 1
	lio_enable "$dir" "$1" || return 1
	echo "$dir"
}

lio_scuse() { echo "$lio_root/core/scuse_0/$1"; }

lio_iscsi() {
	local backstore=$1 iqn=$2 group=$lio_root/iscsi/$2/tpgt_$3 port=$4
	lio_start iscsi_target_mod
	mkdir -p "$group/np/127.0.0.1:$port" "$group/lun/lun_0" || return 1
	[ -e "$group/lun/lun_0/backstore" ] || ln -s "$backstore" "$group/lun/lun_0/backstore" || return 1
	echo 0 >"$group/attrib/authentication"
	echo 1 >"$group/attrib/generate_node_acls"
	echo 0 >"$group/attrib/demo_mode_write_protect"
	echo 1 >"$group/attrib/cache_dynamic_acls"
	echo 1 >"$group/enable" || return 1
	echo "iscsi://127.0.0.1:$port/$iqn/0"
}

lio_group() { # URL -> the directory of its target portal group
	local portal iqn
	IFS=/ read -r _ _ portal iqn _ <<<"$1"
	dirname "$(dirname "$(ls -d "$lio_root/iscsi/$iqn"/tpgt_*/np/"$portal")")"
}

lio_acl() {
	local group acl initiator
	group=$(lio_group "$1") || return 1
	shift
	for initiator; do
		acl=$group/acls/$initiator
		mkdir -p "$acl/lun_0" && ln -s "$group/lun/lun_0" "$acl/lun_0/lun" && echo 0 >"$acl/attrib/nopin_timeout" ||
			return 1
	done
}

lio_remove_acls() { # GROUP
	local acl
	for acl in "$1"/acls/*/; do
		[ -d "$acl" ] || continue
		find "$acl/lun_0" -maxdepth 1 -type l -delete && rmdir "$acl/lun_0" "$acl" || return 1
	done
}

lio_drop_acls() {
	local url group
	for url; do
		group=$(lio_group "$url") && lio_remove_acls "$group" || return 1
	done
}

lio_unexport() {
	local group=$lio_root/iscsi/$1/tpgt_$2
	echo 0 >"$group/enable"
	lio_remove_acls "$group" || return 1
	find "$group/lun/lun_0" -maxdepth 1 -type l -delete
	rmdir "$group"/lun/lun_0 "$group"/np/* "$group" || return 1
	rmdir "$lio_root/iscsi/$1" 2>/dev/null || true
}

lio_loop() {
	local group=$lio_root/loopback/naa.$2/tpgt_1 address
	lio_start tcm_loop
	mkdir -p "$group" || return 1
	echo "naa.6$2" | cut -c 1-20 >"$group/nexus" || return 1
	mkdir -p "$group/lun/lun_0" && ln -s "$1" "$group/lun/lun_0/backstore" || return 1
	address=$(cut -d : -f 1,2 "$group/address") || return 1
	wait_for 20 test -d "/sys/class/scsi_device/$address:1:0" || return 1
	echo "/dev/$(ls "/sys/class/scsi_device/$address:1:0/device/scsi_generic")"
}
