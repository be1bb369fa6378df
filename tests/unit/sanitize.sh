#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the unit tests under a sanitizer, or under valgrind.
#
# usage: sanitize.sh address,undefined|thread|valgrind [BUILD_DIR] [CTEST_ARGUMENT...]
set -eu
kind=${1:?usage: sanitize.sh SANITIZERS|valgrind [BUILD_DIR]}
source=$(cd "$(dirname "$0")/../.." && pwd)
build=${2:-$source/build-$(echo "$kind" | tr , -)}
[ $# -ge 2 ] && shift 2 || shift
mkdir -p "$build"
build=$(cd "$build" && pwd)

case $kind in
valgrind) cmake -S "$source" -B "$build" -DSCUSE_PLAIN_TESTS=ON ;;
*thread*) cmake -S "$source" -B "$build" -DSCUSE_PLAIN_TESTS=ON -DSCUSE_SANITIZE="$kind" ;;
*) cmake -S "$source" -B "$build" -DSCUSE_SANITIZE="$kind" ;;
esac >/dev/null
cmake --build "$build" -j2 >"$build/sanitize.log" 2>&1 || { tail -40 "$build/sanitize.log"; exit 1; }

here=$source/tests/unit
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
export TSAN_OPTIONS="halt_on_error=1:suppressions=$here/tsan.supp"
cd "$build"
if [ "$kind" != valgrind ]; then
	SCUSE_TEST_COMMANDS=1200 ctest -L unit --output-on-failure "$@"
	exit
fi

# Each test is a process of its own; errors and definite leaks count.
failed=0
for test in tests/unit/*; do
	[ -f "$test" ] && [ -x "$test" ] || continue
	if SCUSE_TEST_COMMANDS=160 valgrind -q --trace-children=yes --error-exitcode=99 --fair-sched=try \
		--leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
		--suppressions="$here/valgrind.supp" "$test" >"$build/valgrind.log" 2>&1; then
		echo "passed under valgrind: $(basename "$test")"
	else
		echo "FAILED under valgrind: $(basename "$test")"
		cat "$build/valgrind.log"
		failed=1
	fi
done
exit $failed
