#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of smoke.test: smoke.guest.sh LABEL
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/iscsi.sh"
label="$1 ($(uname -r))"

case $(uname -r) in
"${1%x}"*) tap_ok "$label: the guest runs the kernel that was asked for" ;;
*) tap_not_ok "$label: the guest runs the kernel that was asked for" "$(uname -r)" ;;
esac
check "$label: a thin memory LUN" scuse create m memory --size 64M
disk=$(scuse attach m --loop)
check "$label: mkfs, mount, write, unmount, fsck" sh -c '
	set -e
	mkfs.ext4 -q "$1"
	mkdir -p /mnt/m
	mount "$1" /mnt/m
	cp -r /usr/include/linux/netfilter /mnt/m/
	umount /mnt/m
	fsck.ext4 -fn "$1"
	mount -o ro "$1" /mnt/m
	diff -r /usr/include/linux/netfilter /mnt/m/netfilter
	umount /mnt/m' - "$disk"
check "$label: discard, then zeros" sh -c '
	dd if=/dev/urandom of="$1" bs=64k count=16 oflag=direct status=none &&
	blkdiscard -l 1M "$1" && cmp -n 1048576 "$1" /dev/zero' - "$disk"
check "$label: WRITE SAME" sh -c 'sg_write_same --in=/dev/zero --xferlen=512 --num=64 --lba=8 "$1"' - "$disk"
check "$label: COMPARE AND WRITE" sh -c '
	head -c 512 /dev/zero >/tmp/caw; head -c 512 /dev/urandom >/tmp/caw.new; cat /tmp/caw.new >>/tmp/caw
	sg_write_same --in=/dev/zero --xferlen=512 --num=1 --lba=100 "$1" &&
	sg_compare_and_write --in=/tmp/caw --lba=100 --num=1 --xferlen=1024 "$1" &&
	dd if="$1" bs=512 skip=100 count=1 iflag=direct status=none | cmp - /tmp/caw.new' - "$disk"
url=$(scuse attach m --iscsi)
remote=$(iscsi_login "$url")
check "$label: both initiators read the same" cmp "$disk" "$remote"
check "$label: iSCSI logout" iscsi_logout "$url"
check "$label: resize, seen by the kernel" sh -c '
	scuse resize m 96M && echo 1 >"/sys/class/block/$(basename "$1")/device/rescan" &&
	[ "$(blockdev --getsize64 "$1")" = 100663296 ]' - "$disk"
pid=$(scuse show m --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
kill -KILL "$pid"
check "$label: the LUN is served again after its worker was killed" wait_for 30 dd if="$disk" of=/dev/null bs=64k count=1 iflag=direct
check "$label: remove" scuse rm m --force
pkill -TERM -x scuse-runner
wait_for 20 sh -c '! pgrep -x scuse-runner'
check "$label: the module unloads" wait_for 20 rmmod scuse
tap_done
