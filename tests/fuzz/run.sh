#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Builds the fuzz targets with clang, and runs one:
#
#	run.sh TARGET SECONDS	says how many inputs it ran and how much of the code they reached; fails on a finding
#	run.sh --build		only builds
#	run.sh --list		the targets
#	run.sh --all SECONDS	all of them, two at a time, as test cases
#
# It starts from the corpus in the tree, and from what earlier runs have found ($build/work/TARGET).  A finding is
# left in $build/findings: fix the product, then put the input into corpus/TARGET.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
build=${LAB_BUILD:-$top/build}/fuzz
[[ $build == /* ]] || build=$PWD/$build

list() { sed -nE 's/^scuse_fuzz\(([a-z]+).*/\1/p' "$here/CMakeLists.txt"; }

build() {
	local log=$build/build.log
	mkdir -p "$build"
	{
		cmake -S "$top" -B "$build" -DCMAKE_C_COMPILER="${CLANG:-clang-14}" -DSCUSE_FUZZ=ON &&
			cmake --build "$build" --target fuzz -j2
	} >"$log" 2>&1 || { tail -n 60 "$log" && return 1; }
}

run() { # TARGET SECONDS
	local target=$1 seconds=$2 log=$build/$1.log dict=$here/$1.dict status=0
	mkdir -p "$build/work/$target" "$build/findings"
	[[ -e $dict ]] || dict=
	env ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
		"$build/tests/fuzz/fuzz-$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1500 \
		-max_len=4096 -print_final_stats=1 -artifact_prefix="$build/findings/$target-" ${dict:+-dict="$dict"} \
		"$build/work/$target" "$here/corpus/$target" >"$log" 2>&1 || status=$?
	if ((status)); then
		tail -n 80 "$log"
		return 1
	fi
	awk -v target="$target" '
		/inline 8-bit counters\)/ { match($0, /\(([0-9]+) inline/); total = substr($0, RSTART + 1, RLENGTH - 8) }
		/ cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "corp:") corpus = $(i + 1) } }
		/number_of_executed_units/ { runs = $2 }
		END {
			sub(/\/.*/, "", corpus)
			printf "%s: %d inputs, %d of %d edges, corpus %d\n", target, runs, cov, total, corpus
			exit !(runs && cov)
		}' "$log"
}

case ${1:-} in
--list) list ;;
--build) build ;;
--all)
	build
	list | xargs -P 2 -I{} sh -c 'out=$("$0" --run "$1" "$2" 2>&1) && echo "ok - fuzz: $out" ||
		{ echo "$out" | sed "s/^/# /"; echo "not ok - fuzz: $1"; false; }' "$0" {} "${2:?seconds}"
	;;
--run) run "$2" "$3" ;;
*)
	[[ $# == 2 ]] || { sed -n '4,13s/^#//p' "$0" >&2 && exit 2; }
	build
	run "$1" "$2"
	;;
esac
