#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of adoption.test: adoption.guest.sh PLUGINS
set -uo pipefail
plugins=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

worker() { scuse show "$1" --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1; }
is_online() { scuse show "$1" --json | grep -q '"state": *"online"'; }
another_worker() { is_online "$1" && [ "$(worker "$1")" != "$2" ]; }
owned() { scuse handlers | grep -q "^$1 .*runner"; }
no_runner() { ! pgrep -x scuse-runner >/dev/null; }
start_runner() {
	scuse-runner --leave-workers --plugin-dir "$SCUSE_PLUGIN_DIR" >>/run/scuse-runner.log 2>&1 &
	wait_for 20 owned memory
}
stop_runner() { # SIGNAL
	pkill -"$1" -x scuse-runner
	wait_for 20 no_runner
}
head_of() { timeout 60 dd if="$1" bs=512 count=1 iflag=direct status=none | tr -d '\0'; }
log_has() { grep -qF -- "$1" /run/scuse-runner.log; }

cp "$plugins/kept-counter.so.1" "$SCUSE_PLUGIN_DIR/kept-counter.so"
cp "$plugins/slow-open.so" "$SCUSE_PLUGIN_DIR/"
check "the lab's runner stops its workers on SIGTERM, as ever" stop_runner TERM
check "a runner that leaves them" start_runner

truncate -s 64M /tmp/disk.img
check "a LUN on a file" scuse create f file path=/tmp/disk.img --size 64M
check "a LUN in memory" scuse create m memory --size 64M
check "a LUN whose handler will change" scuse create c kept-counter --size 1M
file=$(scuse attach f --loop)
memory=$(scuse attach m --loop)
counter=$(scuse attach c --loop)
check_equal "its first worker, of the first build" "1 1" "$(head_of "$counter")"
f=$(worker f) m=$(worker m) c=$(worker c)
check "a worker's memory is locked" awk '/^VmLck:/ { locked = $2 } END { exit !locked }' "/proc/$f/status"
check_equal "and it is not the one to be killed when there is none" -900 "$(cat "/proc/$f/oom_score_adj")"

fio --ioengine=libaio --direct=1 --iodepth=16 --rw=randrw --bs=4k --size=32M --time_based --runtime=25 --verify=crc32c \
	--verify_backlog=512 --verify_fatal=1 --minimal --output=/tmp/fio.out --name=f --filename="$file" \
	--name=m --filename="$memory" &
fio=$!
sleep 1

check "the supervisor is killed" stop_runner KILL
check "another takes over" start_runner
check "and can change sizes" wait_for 20 scuse resize m 80M
check_equal "worker of the file" "$f" "$(worker f)"
check_equal "worker of the memory" "$m" "$(worker m)"

check "SIGTERM leaves the workers" stop_runner TERM
check_equal "worker of the file" "$f" "$(worker f)"
cp "$plugins/kept-counter.so.2" "$SCUSE_PLUGIN_DIR/kept-counter.so.new"
mv "$SCUSE_PLUGIN_DIR/kept-counter.so.new" "$SCUSE_PLUGIN_DIR/kept-counter.so"
cp "$SCUSE_PLUGIN_DIR/memory.so" /tmp/memory.so && cp /tmp/memory.so "$SCUSE_PLUGIN_DIR/memory.so.new"
mv "$SCUSE_PLUGIN_DIR/memory.so.new" "$SCUSE_PLUGIN_DIR/memory.so"
check "a runner after an upgrade" start_runner
check "the worker of the handler that changed is replaced" wait_for 20 another_worker c "$c"
check_equal "by one of the other build, which has what was kept" "2 2" "$(head_of "$counter")"
check_equal "installing the same build again changes nothing" "$m" "$(worker m)"
check_equal "nor for the others" "$f" "$(worker f)"

check "a LUN that opens slowly" scuse create s slow-open --size 1M
s=$(worker s)
opening() { grep -lsx scuse:s /proc/[0-9]*/comm | sed 's|/proc/\([0-9]*\)/.*|\1|' | grep -vx "$s"; }
check "its worker is killed" kill -KILL "$s"
check "another one begins to open it" wait_for 10 opening
s=$(opening)
check "the supervisor is killed meanwhile" stop_runner KILL
check "another runner" start_runner
check "the LUN is online in the end" wait_for 30 is_online s
check_equal "by the worker that was opening it" "$s" "$(worker s)"
check "it is removed" scuse rm s --force

check "the worker of the memory is killed, after a takeover" kill -KILL "$m"
check "and replaced" wait_for 20 another_worker m "$m"
m=$(worker m)
check "supervisor and worker are killed" sh -c "kill -KILL $f; pkill -KILL -x scuse-runner"
check "another runner" start_runner
check "starts a worker" wait_for 20 another_worker f "$f"
check_equal "and leaves the other" "$m" "$(worker m)"
status=0
wait "$fio" || status=$?
check_equal "fio has had no error, and found nothing wrong" 0 "$status"
[ "$status" = 0 ] || cat /tmp/fio.out

check "SIGTERM" stop_runner TERM
check "the workers are stopped" scuse-runner --stop-workers
check "none is left" sh -c '! pgrep -f -- "[-]-worker"'
check "no socket is left" sh -c '! ls /run/scuse/* 2>/dev/null'
check "the LUNs are served again by the next runner" start_runner
for lun in f m c; do check "LUN $lun" wait_for 20 is_online "$lun"; done
check "SIGINT" stop_runner INT
check "takes the workers along" sh -c '! pgrep -f -- "[-]-worker"'
start_runner
for lun in f m c; do check "LUN $lun is removed" scuse rm "$lun" --force; done
check "SIGTERM, at last" stop_runner TERM
check "the module unloads" wait_for 20 rmmod scuse
tap_done
