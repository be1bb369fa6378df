#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The main job, shown with real commands: a disk whose every block is served by a program.  `lab demo` runs it in
# a guest.  Each step is narrated, printed, run and checked; the first that fails ends the demo with its status.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/guest/tap.sh"
. "$here/guest/iscsi.sh"

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
show() {
	printf '%s# %s%s\n' "$dim" "$*" "$plain"
	"$@"
}
trap 'status=$?; [ $status -eq 0 ] || printf "\nThe demo stopped at the step above (exit status %s).\n" "$status"' EXIT

checksums() { (cd "$1" && find . -type f -not -path './lost+found/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-64); }

# System calls of the worker, counted by the kernel: a histogram by thread of all that enter.
tracing=/sys/kernel/tracing
syscalls_start() { echo 'hist:key=common_pid' >"$tracing/events/raw_syscalls/sys_enter/trigger"; }
syscalls_of() { # PID
	local task
	for task in /proc/"$1"/task/*; do
		sed -nE "s/.*common_pid: *$(basename "$task") .*hitcount: *([0-9]+).*/\1/p" \
			"$tracing/events/raw_syscalls/sys_enter/hist"
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

say "This is a virtual machine with a stock Debian kernel; the scuse module is loaded, the runner is up"
show uname -sr
show scuse handlers

say "Somebody listens to what happens, in the background: scuse monitor"
scuse monitor >/tmp/monitor.log 2>&1 &
monitor=$!
sleep 1

say "A 256 MiB LUN over the \`file\` handler: each of its blocks is read and written by a userspace program"
mkdir -p /tmp/demo
truncate -s 256M /tmp/demo/disk.img
show scuse create disk0 file /tmp/demo/disk.img --size 256M
show scuse ls
syscalls_start

say "Attached through tcm_loop it is a SCSI disk of this machine"
printf '%s# scuse attach disk0 --loop%s\n' "$dim" "$plain"
disk=$(scuse attach disk0 --loop)
echo "$disk"
show lsscsi -s

say "A file system, and a real tree copied into it: the source of scuse itself"
show mkfs.ext4 -q -L scuse "$disk"
mkdir -p /mnt/disk0
show mount "$disk" /mnt/disk0
mkdir -p /tmp/demo/tree
(cd "$top" && tar -cf - --exclude=./build --exclude='./build-*' --exclude=./.git .) | tar -xf - -C /tmp/demo/tree
show cp -a /tmp/demo/tree/. /mnt/disk0/
show df -h /mnt/disk0
printf 'files: %s\n' "$(find /mnt/disk0 -type f | wc -l)"

say "Unmounted, checked, mounted again: is everything there?"
show umount /mnt/disk0
show fsck.ext4 -fn "$disk"
show mount -o ro "$disk" /mnt/disk0
before=$(checksums /tmp/demo/tree)
after=$(checksums /mnt/disk0)
printf 'copied: %s\nread:   %s\n' "$before" "$after"
[ "$before" = "$after" ]
echo "equal."

say "The same LUN, at the same time, for a second initiator: over iSCSI on loopback, with open-iscsi"
printf '%s# scuse attach disk0 --iscsi%s\n' "$dim" "$plain"
url=$(scuse attach disk0 --iscsi)
echo "$url"
remote=$(iscsi_login "$url")
show lsscsi -s
show scuse show disk0
mkdir -p /mnt/remote
show mount -o ro,noload "$remote" /mnt/remote
show diff -r /mnt/disk0 /mnt/remote
echo "no difference."
show umount /mnt/remote
show iscsi_logout "$url"

say "What it cost"
worker=$(scuse show disk0 --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
calls=$(syscalls_of "$worker")
[ "$calls" -gt 0 ]
show scuse stats disk0
scuse stats disk0 --json >/tmp/demo/stats.json
field() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" /tmp/demo/stats.json | awk '{ sum += $1 } END { print sum + 0 }'; }
awk -v commands="$(field commands)" -v bytes="$(($(field read_bytes) + $(field write_bytes)))" -v calls="$calls" \
	-v wakeups="$(field wakeups)" 'BEGIN {
	printf "\n%-8s %-8s %10s %14s %22s %21s\n", "LUN", "handler", "commands", "bytes", "syscalls per command", "wake-ups per command"
	printf "%-8s %-8s %10d %14d %22.2f %21.2f\n", "disk0", "file", commands, bytes, calls / commands, wakeups / commands }'

say "Taken away: unmounted, detached, removed"
show umount /mnt/disk0
show scuse detach disk0 --all
show scuse rm disk0
show scuse ls
sleep 1
kill "$monitor" 2>/dev/null || true
wait "$monitor" 2>/dev/null || true

say "What \`scuse monitor\` saw of all this"
cat /tmp/monitor.log
[ -s /tmp/monitor.log ]

say "The runner stops, the module goes"
pkill -TERM -x scuse-runner
wait_for 20 sh -c '! pgrep -x scuse-runner'
show rmmod scuse
echo "gone: $(lsmod | grep -c '^scuse ' || true) modules named scuse are loaded"
say "That was it.  Your own handler is 40 lines: see README.md"
