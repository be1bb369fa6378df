#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of saved_modes.test.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"

name="my disk (50%/day)"
encoded="my disk (50%25%2Fday)"
core=/sys/kernel/config/target/core
file="/var/lib/scuse/modes/$encoded"

# Settings of the LUN as it is now, and as saved: "D_SENSE TAS", "none" for saved ones that there are not.
current() { scuse show "$name" --json | jq -r '.mode.current | "\(.d_sense) \(.tas)"'; }
saved() { scuse show "$name" --json | jq -r '.mode.saved | if . then "\(.d_sense) \(.tas)" else "none" end'; }
stop_runner() {
	pkill -"$1" -x scuse-runner || true
	wait_for 20 sh -c '! pgrep -x scuse-runner'
}
start_runner() {
	scuse-runner --plugin-dir "$SCUSE_PLUGIN_DIR" >>/run/scuse-runner.log 2>&1 &
	wait_for 20 sh -c 'scuse handlers | grep -q memory'
}
# The module that was built for this kernel.
module_file() {
	local ko
	for ko in "$(dirname "$SCUSE_PLUGIN_DIR")"/kmod-*/scuse.ko; do
		[ "$(modinfo -F vermagic "$ko" | cut -d' ' -f1)" = "$(uname -r)" ] && echo "$ko" && return
	done
}
is_online() { [ "$(scuse show "$name" --json | jq -r .state)" = online ]; }
create() { scuse create "$name" memory --size 8M "$@"; }
# As another tool would: without `scuse create` and `scuse rm`.
make_by_hand() {
	mkdir -p "$core/scuse_0/$encoded" && cd "$core/scuse_0/$encoded" || return 1
	echo handler=memory >control && echo size=8388608 >control || return 1
	if [ -n "$1" ]; then echo "$1" >wwn/vpd_unit_serial || return 1; fi
	echo 1 >enable
}
remove_by_hand() { rmdir "$core/scuse_0/$encoded" "$core/scuse_0"; }

check "a LUN" create --serial one
disk=$(scuse attach "$name" --loop)
check_equal "it begins with defaults" "0 1" "$(current)"
check_equal "and nothing saved" none "$(saved)"
check "D_SENSE is changed, not saved" sdparm --quiet --set D_SENSE=1 "$disk"
check_equal "it is changed" "1 1" "$(current)"
check "then no file is there" test ! -e "$file"
check "TAS is changed and saved" sdparm --quiet --set TAS=0 --save "$disk"
check_equal "it is saved" 0 "$(saved | cut -d' ' -f2)"
check_equal "for root alone" 600 "$(stat -c %a "$file")"
check_equal "people see it, too" 1 "$(scuse show "$name" | grep -A1 '^mode .*TAS=0' | grep -c 'saved: ')"

stop_runner KILL
check "another runner" start_runner
check "serves it" wait_for 20 is_online
check_equal "the settings are as they were" 0 "$(current | cut -d' ' -f2)"

check "detached, and its directory removed" scuse detach "$name" --force
remove_by_hand
check "the module is unloaded" rmmod scuse
check "and loaded again" insmod "$(module_file)"
check "the runner is there again" wait_for 20 sh -c 'scuse handlers | grep -q "^memory.*runner"'
check "the LUN is made again with its serial number" create --serial one
check_equal "it has the settings that were saved" 0 "$(current | cut -d' ' -f2)"
check_equal "and knows that they are saved" 0 "$(saved | cut -d' ' -f2)"

remove_by_hand
check "another tool makes it, without a serial number" make_by_hand ""
check_equal "it has the settings" 0 "$(current | cut -d' ' -f2)"
remove_by_hand
check "a LUN of that name with another serial number" create --serial two
check_equal "begins with defaults" "0 1" "$(current)"
check "the file of the other one is gone" test ! -e "$file"

disk=$(scuse attach "$name" --loop)
check "TAS is saved again" sdparm --quiet --set TAS=0 --save "$disk"
check "rm" scuse rm "$name" --force
check "takes the file along" test ! -e "$file"
check "the same name and serial number" create --serial two
check_equal "begin with defaults" "0 1" "$(current)"

disk=$(scuse attach "$name" --loop)
check "TAS is saved once more" sdparm --quiet --set TAS=0 --save "$disk"
check "detached" scuse detach "$name"
remove_by_hand
truncate -s 40 "$file"
check "with a broken file the LUN starts" create --serial two
check_equal "with defaults" "0 1" "$(current)"
check "the log says what to do" grep -F "$file cannot be used" /run/scuse-runner.log

disk=$(scuse attach "$name" --loop)
mv /var/lib/scuse /var/lib/scuse.away && : >/var/lib/scuse
check_fails "where nothing can be saved, saving fails" "" sdparm --quiet --set TAS=0 --save "$disk"
check_equal "and changes nothing" "0 1" "$(current)"
check "the log says why" grep "not saved: cannot make /var/lib/scuse/modes" /run/scuse-runner.log
rm /var/lib/scuse && mv /var/lib/scuse.away /var/lib/scuse
stop_runner TERM
check_fails "without a runner saving fails" "" timeout 60 sdparm --quiet --set TAS=0 --save "$disk"
check "another runner comes" start_runner
check "rm at the end" scuse rm "$name" --force
tap_done
