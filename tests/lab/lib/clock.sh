# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a guest is told of its clock. Called by vm.sh; owns $LAB_CACHE/tsc.
#
# A kernel that boots measures the time-stamp counter against a timer. Under TCG the counter is the host's and the
# timer an emulated one, so on a busy host the result can be several times too low; then all of the guest's time-outs
# come that much too early, from its point of view. So the rate is measured here, and given on the command line.

# clock_cmdline: the word for the kernel's command line; nothing if the rate is not known
clock_cmdline() {
    local cached=$LAB_CACHE/tsc boot
    boot=$(</proc/sys/kernel/random/boot_id)
    if [[ ! -s $cached || $(sed 1d "$cached") != "$boot" ]]; then
        clock_measure "$boot" "$cached" || return 0
    fi
    printf ' tsc_early_khz=%s' "$(head -n 1 "$cached")"
}

clock_measure() {
    local boot=$1 cached=$2 program khz
    [[ $(uname -m) == x86_64 ]] || return 1
    program=$(mktemp "${TMPDIR:-/tmp}/scuse-tsc.XXXXXX")
    khz=$(gcc -O2 -o "$program" "$LAB_DIR/lib/tsc.c" && "$program") || khz=''
    rm -f -- "$program"
    [[ $khz =~ ^[1-9][0-9]{5,7}$ ]] || return 1
    printf '%s\n%s\n' "$khz" "$boot" >"$cached"
}
