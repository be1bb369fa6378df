# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# `lab test`: builds everything, then runs the tests and counts. Called by the lab; owns
# $LAB_BUILD/test-logs.
#
# A test is an executable tests/KIND/NAME.test that runs on the host, says in its first comment
# what it proves, and boots guests with "$LAB" exec. A line in its head drives it:
#   # lab: timeout=600 suite=ci [kernels=6.1,6.12]
# suite=all: only with --all. kernels: run once for each, in $LAB_KERNEL, which exec obeys.
# It passes with exit status 0 and is skipped with 77. Lines `ok - TEXT`, `not ok - TEXT` and
# `ok - TEXT # SKIP why` in its output are counted as cases; without any, the test is one case.

PASSED=0 FAILED=0 SKIPPED=0
FAILURES=()

# head_value FILE KEY DEFAULT
head_value() {
    local value
    value=$(sed -nE "/^# lab:/{s/.*[[:space:]]$2=([^[:space:]]+).*/\1/p;q}" "$1")
    printf '%s' "${value:-$3}"
}

test_name() {
    local name=${1#"$LAB_TOP/tests/"}
    printf '%s' "${name%.test}"
}

# wanted NAME FILE: by the names asked for, or else by suite
wanted() {
    local pattern
    if ((${#SUITE_NAMES[@]})); then
        for pattern in "${SUITE_NAMES[@]}"; do
            [[ $1 != *"$pattern"* ]] || return 0
        done
        return 1
    fi
    ((SUITE_ALL)) || [[ $(head_value "$2" suite ci) == ci ]]
}

# A name that no test has is a mistake, not a success.
check_names() {
    local pattern names
    names=$(for file in "$LAB_TOP"/tests/*/*.test; do test_name "$file" && echo; done)
    for pattern in ${SUITE_NAMES[@]+"${SUITE_NAMES[@]}"}; do
        [[ $names == *"$pattern"* ]] || usage_error "no test has '$pattern' in its name; they are:"$'\n'"$names"
    done
}

# count LOG STATUS: adds a finished test's cases; returns 1 if it failed.
count() {
    local ok not_ok skip
    not_ok=$(grep -acE '^not ok\b' "$1") || true
    skip=$(grep -acE '^ok\b.*# SKIP' "$1") || true
    ok=$(grep -acE '^ok\b' "$1") || true
    ok=$((ok - skip))
    PASSED=$((PASSED + ok)) FAILED=$((FAILED + not_ok)) SKIPPED=$((SKIPPED + skip))
    if [[ $2 == 77 ]]; then
        SKIPPED=$((SKIPPED + 1))
        ((not_ok == 0))
    elif [[ $2 == 0 ]]; then
        ((ok + not_ok + skip)) || PASSED=$((PASSED + 1))
        ((not_ok == 0))
    else
        ((not_ok)) || FAILED=$((FAILED + 1))
        return 1
    fi
}

# verdict NAME SECONDS LOG STATUS
verdict() {
    local name=$1 seconds=$2 log_file=$3 status=$4 word=passed
    if count "$log_file" "$status"; then
        [[ $status != 77 ]] || word=skipped
        printf '%-8s %-40s %4d s\n' "$word" "$name" "$seconds"
        return
    fi
    FAILURES+=("$name (status $status): $log_file")
    [[ $status != 124 ]] || printf 'not ok - %s: ended by its time limit\n' "$name" >>"$log_file"
    printf '%s\n' "---- $name, from $log_file:"
    if [[ $(wc -l <"$log_file") -gt 250 ]]; then
        grep -aE '^not ok' "$log_file" || true
        printf '%s\n' '...'
    fi
    tail -n 250 -- "$log_file" | cut -c 1-400
    printf '%-8s %-40s %4d s\n' FAILED "$name" "$seconds"
}

# run_test NAME TIMEOUT CMD...
run_test() {
    local name=$1 limit=$2 file status=0 begin=$SECONDS
    shift 2
    file=$LAB_BUILD/test-logs/${name//[^A-Za-z0-9._-]/_}.log
    printf '%-8s %-40s\n' running "$name"
    timeout -k 20 "$limit" "$@" >"$file" 2>&1 </dev/null &
    SUITE_PID=$!
    wait "$SUITE_PID" || status=$?
    SUITE_PID=
    verdict "$name" $((SECONDS - begin)) "$file" "$status"
}

# Building is the first test; what follows makes no sense without it.
build_step() {
    local name=$1 file=$LAB_BUILD/test-logs/$1.log status=0 begin=$SECONDS
    shift
    ("$@") >"$file" 2>&1 </dev/null || status=$?
    verdict "$name" $((SECONDS - begin)) "$file" "$status"
    return "$status"
}

prepare_kernel() {
    kernel_need "$1"
    kmod_build "$1" strict
}

# The debug kernel takes long to build: only for tests that run on it.
label_wanted() {
    local file
    [[ $1 == debug ]] || return 0
    for file in "$LAB_TOP"/tests/*/*.test; do
        wanted "$(test_name "$file")" "$file" || continue
        [[ ,$(head_value "$file" kernels ''), != *,debug,* ]] || return 0
    done
    return 1
}

build_all() {
    local label
    install_packages
    mkdir -p "$LAB_BUILD/test-logs"
    build_step build-userspace build_userspace || return 1
    for label in "${LAB_LABELS[@]}"; do
        label_wanted "$label" || continue
        build_step "build-kmod-$label" prepare_kernel "$label" || return 1
    done
}

run_all() {
    local file name limit kernels label
    for file in "$LAB_TOP"/tests/*/*.test; do
        name=$(test_name "$file")
        wanted "$name" "$file" || continue
        limit=$(head_value "$file" timeout 600)
        kernels=$(head_value "$file" kernels '')
        if [[ -z $kernels ]]; then
            run_test "$name" "$limit" "$file"
            continue
        fi
        for label in ${kernels//,/ }; do
            LAB_KERNEL=$label run_test "$name-$label" "$limit" "$file"
        done
    done
}

summary() {
    ((${#FAILURES[@]} == 0)) || printf 'failed: %s\n' "${FAILURES[@]}"
    printf '%d passed, %d failed%s\n' "$PASSED" "$FAILED" "$( ((SKIPPED == 0)) || printf ', %d skipped' "$SKIPPED")"
    ((FAILED == 0 && PASSED > 0))
}

stop_test() { [[ -z ${SUITE_PID:-} ]] || kill "$SUITE_PID" 2>/dev/null || true; }

suite_main() {
    SUITE_ALL=0 SUITE_NAMES=()
    while (($#)); do
        case $1 in
        --all) SUITE_ALL=1 ;;
        -*) usage_error "unknown option $1" ;;
        *) SUITE_NAMES+=("$1") ;;
        esac
        shift
    done
    check_names
    on_exit stop_test
    if build_all; then
        # What a test's own calls of the lab need is there, and they leave as they found.
        export LAB_READY=1 LAB_STRICT=1
        run_all
    fi
    summary
}
