#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of confine.test: confine.guest.sh PLUGINS
set -uo pipefail
plugins=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

worker() { scuse show "$1" --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1; }
another_worker() { scuse show "$1" --json | grep -q '"state": *"online"' && [ "$(worker "$1")" != "$2" ]; }

# What came of it: attempt NODE WORD
attempt() {
	echo "$2" >/tmp/attempt
	timeout 30 dd if="$1" bs=4k count=1 iflag=direct status=none of=/dev/null 2>/tmp/dd.err
	cat /tmp/result
}
refused() { # NODE WORD ERROR WHAT
	check_equal "$4: $3" "$2: $3" "$(attempt "$1" "$2")"
}
# All threads have the same, so that none is a way out: the values of a field of their status files.
all_threads() { # PID FIELD
	sed -n "s/^$2:\s*//p" /proc/"$1"/task/*/status | tr '\t' ' ' | sort -u
}
namespace() { readlink "/proc/$1/ns/$2"; }

cp "$plugins"/*.so "$SCUSE_PLUGIN_DIR/" && pkill -HUP -x scuse-runner && sleep 2
mknod -m 600 /tmp/null.device c 1 3 2>/dev/null
echo secret >/tmp/root.secret && chmod 600 /tmp/root.secret
echo secret >/tmp/other.secret && chmod 600 /tmp/other.secret && chown 1234 /tmp/other.secret
ip link set lo up
ip link add scusetest type dummy 2>/dev/null || modprobe dummy && ip link add scusetest type dummy 2>/dev/null
python3 -c 'import socket
s = socket.create_server(("127.0.0.1", 7777))
while True: s.accept()[0].close()' &
listener=$!
sleep 1

check "a LUN whose handler needs nothing" scuse create h hostile --size 8M
node=$(scuse attach h --loop)
pid=$(worker h)
check_equal "no thread of its worker has a capability" 0000000000000000 "$(all_threads "$pid" CapPrm)"
check_equal "nor can it get one" 0000000000000000 "$(all_threads "$pid" CapBnd)"
check_equal "all threads are filtered" 2 "$(all_threads "$pid" Seccomp)"
check_equal "and cannot gain privileges" 1 "$(all_threads "$pid" NoNewPrivs)"
user=$((0x70000000 + pid))
check_equal "all threads have a user of their own" "$user $user $user $user" "$(all_threads "$pid" Uid)"
check_equal "and no groups" "" "$(all_threads "$pid" Groups)"
for kind in net ipc uts; do
	check "it has a $kind namespace of its own" test "$(namespace "$pid" $kind)" != "$(namespace $$ $kind)"
done

check_equal "what it does otherwise works" "thread: ok" "$(attempt "$node" thread)"
refused "$node" connect ENETUNREACH "the machine's network"
refused "$node" interface ENODEV "the machine's network interfaces"
refused "$node" root-file EACCES "root's file"
refused "$node" ring-file EACCES "root's file, by io_uring"
refused "$node" other-file EACCES "another user's file"
refused "$node" raw-memory EACCES "the memory of the machine"
refused "$node" sysctl EACCES "settings of the kernel"
refused "$node" signal EPERM "signals to the supervisor"
refused "$node" fork EPERM "processes"
refused "$node" exec EPERM "programs"
check_equal "none of that has cost the worker its life" "$pid" "$(worker h)"
for word in mount ptrace module; do
	pid=$(worker h)
	check_equal "$word ends the worker" "$word: tried" "$(attempt "$node" $word)"
	check "and another takes over" wait_for 20 another_worker h "$pid"
done
check "the log says by which signal" grep -q "killed by SIGSYS" /run/scuse-runner.log

check "a LUN whose handler needs files, the network and processes" scuse create f hostile-files --size 8M
node=$(scuse attach f --loop)
pid=$(worker f)
check_equal "its worker has the capabilities for files" 000000000000000e "$(all_threads "$pid" CapPrm)"
check_equal "and is root" "0 0 0 0" "$(all_threads "$pid" Uid)"
check_equal "it opens others' files" "other-file: ok" "$(attempt "$node" other-file)"
check_equal "it reaches the network" "connect: ok" "$(attempt "$node" connect)"
check_equal "it starts processes" "fork: ok" "$(attempt "$node" fork)"
pid=$(worker f)
check_equal "but mount ends it all the same" "mount: tried" "$(attempt "$node" mount)"
check "and another takes over" wait_for 20 another_worker f "$pid"

check "a LUN whose handler is of an earlier ABI" scuse create o hostile-old --size 8M
node=$(scuse attach o --loop)
pid=$(worker o)
check_equal "its worker keeps its capabilities" "$(sed -n 's/^CapPrm:\s*//p' "/proc/$(pgrep -x scuse-runner | head -n 1)/status")" \
	"$(all_threads "$pid" CapPrm)"
check_equal "and may mount" "mount: ok" "$(attempt "$node" mount)"
umount /mnt 2>/dev/null

for name in h f o; do
	check "the LUN is removed" scuse rm $name --force
done
kill "$listener"
tap_done
