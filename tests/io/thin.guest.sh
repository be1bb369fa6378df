#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of thin.test.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

block=512
mib=$((1048576 / block)) # blocks

head -c $((16 << 20)) /dev/urandom >/tmp/data

# Writes COUNT MiB of the data at the same place of the LUN; without sd, which would keep senses for itself.
put() { # MIB COUNT
	sg_dd if=/tmp/data of="$sg" bs=$block bpt=2048 skip=$(($1 * mib)) seek=$(($1 * mib)) count=$(($2 * mib)) blk_sgio=1
}
same() { # MIB COUNT
	sg_dd if="$sg" of=/tmp/back bs=$block bpt=2048 skip=$(($1 * mib)) count=$(($2 * mib)) blk_sgio=1 >/dev/null 2>&1 &&
		cmp -n $(($2 << 20)) -i $(($1 << 20)):0 /tmp/data /tmp/back
}
zero() { # MIB COUNT
	sg_dd if="$sg" of=/tmp/back bs=$block bpt=2048 skip=$(($1 * mib)) count=$(($2 * mib)) blk_sgio=1 >/dev/null 2>&1 &&
		cmp -n $(($2 << 20)) /dev/zero /tmp/back
}
give_back() { sg_unmap --lba=$(($1 * mib)) --num=$(($2 * mib)) "$sg"; } # MIB COUNT
# What TEST UNIT READY says.
ready() { sg_raw -v "$sg" 00 00 00 00 00 00 2>&1 || true; }
warned() { grep -qi 'soft threshold' <<<"$(ready)"; }
quiet() { ! grep -qi 'unit attention' <<<"$(ready)"; }
# The state of the block that MIB begins with: 0 mapped, 1 deallocated.
lba_status() { sg_get_lba_status --brief --brief --lba=$(($1 * mib)) "$sg"; }
expect_full() { check_fails "$1" 'space allocation|protect' put "$2" "$3"; }

pool() {
	check "pool: create" scuse create pool memory limit=8M threshold=50 --size 64M || return
	sg=$(scuse attach pool --loop --sg) || { tap_not_ok "pool: attach"; return; }
	check "pool: below the threshold" put 0 3
	check "pool: nothing is told yet" quiet
	# The write that reaches it is the last one: another would be told, and sg_dd tries again by itself.
	check "pool: writing up to the threshold" put 3 1
	check "pool: the threshold is told" wait_for 10 warned
	check "pool: and not again" quiet
	check "pool: writing on" put 4 4
	check "pool: still not again" quiet
	expect_full "pool: no more storage" 8 1
	check "pool: what is there can be written" put 7 1
	check "pool: nothing was lost" same 0 8
	check "pool: nothing was written" zero 8 1
	check_equal "pool: GET LBA STATUS, mapped" 0 "$(lba_status 0)"
	check_equal "pool: GET LBA STATUS, deallocated" 1 "$(lba_status 8)"
	check "pool: the log page has figures" sh -c "sg_logs --page=0xc $sg | grep -i 'used lba'"
	check "pool: storage is given back" give_back 0 6
	check "pool: writing works again" put 8 1
	check "pool: below the threshold again" quiet
	check "pool: up to it again" put 9 1
	check "pool: the threshold is told again" wait_for 10 warned
	check "pool: the data" same 6 4
	check "pool: FORMAT UNIT" sg_format --format --wait --quick "$sg"
	check "pool: all is zero" zero 0 16
	check "pool: remove" scuse rm pool --force
}

full_file() {
	mkdir -p /tmp/small && mount -t tmpfs -o size=8M none /tmp/small || { tap_not_ok "file: mount"; return; }
	check "file: create" scuse create full file /tmp/small/lun create=true --size 64M || return
	sg=$(scuse attach full --loop --sg) || { tap_not_ok "file: attach"; return; }
	check "file: writing what there is room for" put 0 7
	expect_full "file: the file system is full" 7 4
	check "file: nothing was lost" same 0 7
	check "file: storage is given back" give_back 0 4
	check "file: writing works again" put 8 3
	check "file: the data" same 8 3
	check_equal "file: GET LBA STATUS, deallocated" 1 "$(lba_status 0)"
	check_equal "file: GET LBA STATUS, mapped" 0 "$(lba_status 4)"
	check "file: FORMAT UNIT" sg_format --format --wait --quick "$sg"
	check "file: all is zero" zero 0 16
	check "file: the file system has its room again" sh -c '[ "$(du -k /tmp/small/lun | cut -f1)" -eq 0 ]'
	check "file: remove" scuse rm full --force
	umount /tmp/small
}

pool
full_file
tap_done
