# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# What every part of the lab shares: messages, the places where things are kept,
# the clean-up on exit, and the lock that keeps two runs from filling the cache at once.
# Sourced first by tests/lab/lab; it owns the LAB_* paths and the EXIT trap.

LAB_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
LAB=$LAB_DIR/lab
LAB_TOP=$(cd -- "$LAB_DIR/../.." && pwd -P)
LAB_BUILD=${SCUSE_BUILD_DIR:-$LAB_TOP/build}
LAB_CACHE=${SCUSE_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/scuse-lab}
export LAB

# Exit statuses of the lab's own; CMD's status is passed on otherwise.
readonly LAB_TIMEOUT=124 LAB_FAILED=125 LAB_USAGE=2 LAB_CUT=137

log() { printf 'lab: %s\n' "$*" >&2; }
verbose() { [[ ${LAB_VERBOSE:-0} == 0 ]] || log "$@"; }

# die MESSAGE: ends the whole run, also from within a function's subshell when set -e is on.
die() {
    log "error: $*"
    exit "$LAB_FAILED"
}

usage_error() {
    log "$*"
    log "see: $LAB --help"
    exit "$LAB_USAGE"
}

# Clean-up: commands registered here run once, last first, whatever ends the run.
LAB_CLEANUP=()
on_exit() { LAB_CLEANUP+=("$(printf '%q ' "$@")"); }
run_cleanup() {
    local status=$? i
    trap - EXIT
    trap '' INT TERM HUP
    for ((i = ${#LAB_CLEANUP[@]} - 1; i >= 0; i--)); do
        eval "${LAB_CLEANUP[i]}" || true
    done
    exit "$status"
}
install_traps() {
    trap run_cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

# with_lock NAME FUNCTION ARG...: one process at a time for what fills a part of the cache or of
# the build directory. The lock ends with the subshell, so a killed run leaves none behind.
with_lock() {
    local file=$1
    shift
    mkdir -p -- "$(dirname -- "$file")"
    (
        exec 9>"$file"
        if ! flock -w 5 9; then
            log "waiting for another lab run (lock $file)"
            flock 9
        fi
        # A program started here must not keep the lock alive.
        "$@" 9>&9
    )
}

# quietly LOG CMD...: runs CMD with its output kept in LOG, shown only when CMD fails.
quietly() {
    local out=$1
    shift
    mkdir -p -- "$(dirname -- "$out")"
    if [[ ${LAB_VERBOSE:-0} != 0 ]]; then
        "$@" > >(tee -- "$out" >&2) 2>&1
        return
    fi
    "$@" >"$out" 2>&1 || {
        local status=$?
        tail -n 60 -- "$out" >&2
        log "failed ($status): $*"
        log "the whole output is in $out"
        return "$status"
    }
}

need_root() {
    [[ $(id -u) == 0 ]] || die "$1 needs root: run it with sudo"
}
