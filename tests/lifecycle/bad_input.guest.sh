#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of bad_input.test: bad_input.guest.sh PLUGINS (a directory with the broken plugins, built)
set -uo pipefail
plugins=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

nothing_made() { [ "$(listed_luns)" = 0 ] && ! ls -d /sys/kernel/config/target/core/scuse_*/*/ 2>/dev/null | grep -v '/\(alua\|statistics\)/'; }
stop_runner() {
	pkill -TERM -x scuse-runner || true
	wait_for 20 sh -c '! pgrep -x scuse-runner'
}

truncate -s 8M /tmp/disk.img

check_fails "an unknown handler" "nosuch" scuse create a nosuch --size 8M
check_fails "an unknown parameter" "colour" scuse create a file path=/tmp/disk.img colour=red --size 8M
check_fails "a missing parameter" "path" scuse create a file --size 8M
check_fails "a value of the wrong kind" "direct" scuse create a file path=/tmp/disk.img direct=perhaps --size 8M
check_fails "a file that is not there" "/tmp/missing.img" scuse create a file path=/tmp/missing.img --size 8M
check_fails "a size of 0" "size" scuse create a memory --size 0
check_fails "no size, and a handler that cannot know" "size" scuse create a memory
check_fails "a size that is not a size" "size" scuse create a memory --size large
check_fails "a size that is no multiple of the block size" "multiple" scuse create a memory --size 1000000 --block-size 4096
check_fails "a block size that is no power of two" "block" scuse create a memory --size 8M --block-size 1000
check_fails "a size larger than the file" "8388608|larger|8 MiB|8.0" scuse create a file path=/tmp/disk.img --size 16M
check "nothing is left of all these" nothing_made

name="my disk: the 1st (50%/day)"
check "a name with spaces, colons, a slash and a per cent sign" scuse create "$name" memory --size 8M
check "it is listed under that name" sh -c 'scuse ls | grep -F "my disk: the 1st (50%/day)"'
check "it serves" sh -c 'dev=$(scuse attach "$1" --loop) && dd if="$dev" bs=64k count=4 iflag=direct status=none | wc -c | grep -qx 262144' - "$name"
check_fails "creating it twice" "exist" scuse create "$name" memory --size 8M
check_fails "removing it while it is attached" "attached|exported|detach" scuse rm "$name"
check "removing it with --force" scuse rm "$name" --force
check_fails "removing what is not there" "no LUN|not found|no such" scuse rm nothing

check "a LUN to mount" scuse create m memory --size 64M
disk=$(scuse attach m --loop)
mkfs.ext4 -q "$disk" && mkdir -p /mnt/m && mount "$disk" /mnt/m
check_fails "removing a mounted LUN" "/mnt/m" scuse rm m
check_fails "removing a mounted LUN with --force" "/mnt/m" scuse rm m --force
check "unmounted, it can be removed" sh -c 'umount /mnt/m && scuse rm m --force'

cp "$plugins"/*.so "$SCUSE_PLUGIN_DIR/"
cp "$SCUSE_PLUGIN_DIR/null.so" "$SCUSE_PLUGIN_DIR/open-to-all.so"
chmod 0666 "$SCUSE_PLUGIN_DIR/open-to-all.so"
pkill -HUP -x scuse-runner
sleep 2
check_fails "a plugin that anybody can write" "writable|permission" scuse-runner --validate open-to-all --size 1M
check_fails "a plugin of a newer ABI major" "newer|ABI 2|version 2|2\." scuse-runner --validate from-the-future --size 1M
check "\`scuse handlers\` says why it refuses them" sh -c 'scuse handlers 2>&1 | grep -i writable && scuse handlers 2>&1 | grep -i newer'
check_fails "a plugin that crashes in open" "crash.*open|open.*crash|SIGSEGV" scuse create c crash-in-open --size 8M
check "nothing is left of it" nothing_made

stop_runner
before=$SECONDS
check_fails "create with no runner" "runner" timeout 60 scuse create r memory --size 8M
check "and that within ten seconds" test $((SECONDS - before)) -le 10
check "ls works without a runner" scuse ls
check "nothing is left of it" nothing_made
rmmod scuse
check_fails "create without the module" "module" timeout 60 scuse create r memory --size 8M
check_fails "the runner without the module" "module" timeout 60 scuse-runner --plugin-dir "$SCUSE_PLUGIN_DIR"
tap_done
