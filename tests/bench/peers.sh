# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The backstores that are measured side by side, made in a guest.  Sourced by the guest scripts.
#
#	peers_make NAME		makes the backstore and exports it over tcm_loop; prints /dev/sdX
#	peers_remove NAME
#	peers_worker NAME	prints the process that serves it, or nothing
#
# NAME: rd_mcp	LIO's ramdisk, the floor	nullio	it moves no data: the fabric alone
#	fileio	LIO's file backstore on tmpfs	memory, null, file	scuse, file on tmpfs
#	tcmu	TCMU with tcmu-peer.c
#
# All have 64 MiB and 512-byte blocks.

peers_bytes=$((64 << 20))

peers_block() { # /dev/sgN -> /dev/sdX
	local dir=/sys/class/scsi_generic/${1#/dev/}/device/block
	wait_for 20 test -d "$dir" || return 1
	echo "/dev/$(ls "$dir")"
}

peers_lio() { # NAME WWN BACKSTORE
	local sg
	sg=$(lio_loop "$3" "$2") || return 1
	peers_block "$sg"
}

peers_nullio() {
	local dir=$lio_root/core/rd_mcp_1/nullio
	mkdir -p "$dir" || return 1
	printf 'rd_pages=%s,rd_nullio=1' $((peers_bytes / 4096)) >"$dir/control" || return 1
	lio_enable "$dir" nullio || return 1
	echo "$dir"
}

peers_tcmu() {
	local dir=$lio_root/core/user_0/tcmu
	lio_start target_core_user && modprobe uio && mkdir -p "$dir" || return 1
	printf 'dev_size=%s,dev_config=peer/,hw_block_size=512' "$peers_bytes" >"$dir/control" || return 1
	lio_enable "$dir" tcmu || return 1
	"$peers_bin/tcmu-peer" tcmu "$peers_bytes" >/tmp/tcmu-peer.log 2>&1 &
	echo "$dir"
}

peers_make() {
	local backstore
	case $1 in
	rd_mcp) backstore=$(lio_ramdisk rd_mcp "$peers_bytes") && peers_lio "$1" 000000000000e1 "$backstore" ;;
	nullio) backstore=$(lio_start target_core_mod && peers_nullio) && peers_lio "$1" 000000000000e2 "$backstore" ;;
	fileio) backstore=$(lio_fileio fileio /dev/shm/fileio "$peers_bytes") && peers_lio "$1" 000000000000e3 "$backstore" ;;
	tcmu) backstore=$(peers_tcmu) && peers_lio "$1" 000000000000e4 "$backstore" ;;
	memory | null) scuse create "$1" "$1" --size "$peers_bytes" >/dev/null && scuse attach "$1" --loop ;;
	file)
		truncate -s "$peers_bytes" /dev/shm/file &&
			scuse create file file /dev/shm/file --size "$peers_bytes" >/dev/null && scuse attach file --loop
		;;
	*) return 1 ;;
	esac
}

peers_worker() {
	case $1 in
	tcmu) pgrep -x tcmu-peer ;;
	memory | null | file) pgrep -f "^scuse-runner --worker" | head -n 1 ;;
	esac
}
