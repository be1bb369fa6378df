#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest's part of power.test, between two power cuts:
#
#	power.guest.sh TOOLS CHECK WRITE SEED
#
# CHECK is "ROUND VARIANT LOG EXPECTED", what the cut before has to be judged by, or empty; WRITE is "ROUND VARIANT", or empty
# for none.  TOOLS has the programs that power.test has built.
set -uo pipefail
tools=$1 checking=$2 writing=$3 seed=$4
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lab/guest/tap.sh"
size=12M

# serve VARIANT DISK: a LUN of that variant; prints its node
serve() {
	local name=${1//[^a-z0-9]/-}-${2##*/} directory=/mnt/$1-${2##*/} arguments=() options=()
	if [[ $1 != disk* ]]; then
		mkdir -p "$directory" && mount -t ext4 "$2" "$directory" || return 1
	fi
	case $1 in
	*lying*) arguments=(lying-file) ;;
	*tape*) arguments=(vtape) options=(--sg) ;;
	*) arguments=(file) ;;
	esac
	case $1 in
	*tape*) arguments+=("path=$directory/lun.tape" create=true capacity=40M) ;;
	ext4*) arguments+=("path=$directory/lun.img" create=true --size "$size") ;;
	disk*) arguments+=("path=$2" --size "$size") ;;
	esac
	[[ $1 != *direct* ]] || arguments+=(direct=true)
	scuse create "$name" "${arguments[@]}" >/dev/null && scuse attach "$name" --loop "${options[@]}"
}

tool() { case $1 in *tape*) echo "$tools/tape" ;; *) echo "$tools/durable" ;; esac; }

# The negative control: the check has to find both lies.
check_lies() { # NODE LOG
	local output
	output=$("$tools/durable" check "$@") && { echo "nothing was found: $output"; return 1; }
	echo "$output"
	grep -Eq 'after FUA: [1-9].*after SYNCHRONIZE CACHE: [1-9]' <<<"$output"
}

check_round() { # ROUND VARIANT LOG DISK
	local node output what status=0
	node=$(serve "$2" "$4") || { tap_not_ok "cut $1, $2: the LUN can be served again"; return 1; }
	if [[ $2 == *lying* ]]; then
		output=$(check_lies "$node" "$3") || status=$?
		what="a handler that lies is found out"
	else
		output=$("$(tool "$2")" check "$node" "$3" 2>&1) || status=$?
		what="what was acknowledged as durable is there"
	fi
	if [ "$status" -eq 0 ]; then
		tap_ok "cut $1, $2: $what: $(tail -n 1 <<<"$output")"
	else
		tap_not_ok "cut $1, $2: $what" "$output"
	fi
}

cp "$tools"/*.so "$SCUSE_PLUGIN_DIR/" && pkill -HUP -x scuse-runner && sleep 1
disk=/dev/vda
if [ -n "$checking" ]; then
	read -r round variant log <<<"$checking"
	check_round "$round" "$variant" "$log" "$disk" || tap_done
	disk=/dev/vdb
fi
if [ -n "$writing" ]; then
	read -r round variant <<<"$writing"
	node=$(serve "$variant" "$disk") || { tap_not_ok "cut $round, $variant: a LUN"; tap_done; }
	wait_for 5 test -c "$LAB_SINK"
	case $variant in
	*tape*) exec "$tools/tape" write "$node" "$LAB_SINK" "$seed" ;;
	*) exec "$tools/durable" write "$node" "$LAB_SINK" "$round" "$seed" ;;
	esac
fi
tap_done
