#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of verify.test: verify.guest.sh LABEL
set -uo pipefail
label=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
. "$here/../lab/guest/iscsi.sh"

# TCG is some 50 times slower than metal: enough data to turn every slot over several times, no more.
size=48M
per_job=10M
mkdir -p /tmp/backing

fio_verify() { # DEVICE SMALLEST
	fio --name=verify --filename="$1" --ioengine=libaio --direct=1 --iodepth=32 --rw=randrw \
		--bsrange="$2"-1M --blockalign="$2" --bs_unaligned=0 --numjobs=2 --size=24M --offset_increment=24M \
		--io_size="$per_job" --verify=crc32c --verify_fatal=1 --verify_async=0 --do_verify=1 \
		--randseed=42 --group_reporting --minimal --output=/tmp/fio.out || {
		cat /tmp/fio.out
		return 1
	}
}

# One transfer of each size, written by sg_dd through the sg node, read back and compared.
sg_dd_sizes() { # SG BLOCK LARGEST(bytes)
	local sg=$1 block=$2 largest=$3 bytes=$2
	head -c "$largest" /dev/urandom >/tmp/pattern
	while [ "$bytes" -le "$largest" ]; do
		sg_dd if=/tmp/pattern of="$sg" bs="$block" bpt=$((bytes / block)) count=$((bytes / block)) \
			seek=3 blk_sgio=1 >/tmp/sg_dd.log 2>&1 || { cat /tmp/sg_dd.log; return 1; }
		sg_dd if="$sg" of=/tmp/back bs="$block" bpt=$((bytes / block)) count=$((bytes / block)) \
			skip=3 blk_sgio=1 >/tmp/sg_dd.log 2>&1 || { cat /tmp/sg_dd.log; return 1; }
		cmp -n "$bytes" /tmp/pattern /tmp/back || { echo "differs at transfers of $bytes bytes"; return 1; }
		bytes=$((bytes * 2))
	done
}

discard_then_zeros() { # DEVICE
	dd if=/dev/urandom of="$1" bs=1M count=4 oflag=direct status=none || return 1
	blkdiscard -o 1M -l 2M "$1" || return 1
	local sum
	sum=$(dd if="$1" bs=1M skip=1 count=2 iflag=direct status=none | tr -d '\0' | wc -c)
	[ "$sum" -eq 0 ] || { echo "$sum bytes of a discarded range are not zero"; return 1; }
}

one() { # HANDLER BLOCK
	local handler=$1 block=$2 name=$1-$2 what loop sg url disk
	what="$label, $handler handler, $block-byte blocks"
	local arguments=()
	if [ "$handler" = file ]; then
		truncate -s "$size" "/tmp/backing/$name"
		arguments=("path=/tmp/backing/$name")
	fi
	check "$what: create" scuse create "$name" "$handler" "${arguments[@]}" --size "$size" --block-size "$block" || return
	loop=$(scuse attach "$name" --loop) || { tap_not_ok "$what: attach --loop"; return; }
	sg=$(scuse attach "$name" --loop --sg) || { tap_not_ok "$what: attach --loop --sg"; return; }
	check "$what: fio --verify over tcm_loop" fio_verify "$loop" "$block"
	check "$what: sg_dd of one block to 1 MiB" sg_dd_sizes "$sg" "$block" $((1 << 20))
	check "$what: blkdiscard, then zeros" discard_then_zeros "$loop"
	check "$what: detach from tcm_loop" scuse detach "$name" --loop
	url=$(scuse attach "$name" --iscsi) || { tap_not_ok "$what: attach --iscsi"; return; }
	disk=$(iscsi_login "$url") || { tap_not_ok "$what: iSCSI login to $url"; return; }
	check "$what: fio --verify over iSCSI" fio_verify "$disk" "$block"
	check "$what: iSCSI logout" iscsi_logout "$url"
	check "$what: remove" scuse rm "$name" --force
}

for block in 512 4096; do
	for handler in memory file; do
		one "$handler" "$block"
	done
done
tap_done
