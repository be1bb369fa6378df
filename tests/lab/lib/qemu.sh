# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Which QEMU runs the guests. Called by kernels.sh (qemu_fetch) and vm.sh (qemu_find); owns
# $LAB_CACHE/qemu.
#
# Debian 12's own QEMU (7.2) has a race in its multi-threaded TCG: code that the kernel patches while
# another virtual CPU translates it (static keys) stays a breakpoint there, and the guest dies with
# "Oops: int3". QEMU 8.1 locks the page before it translates. So a newer build for Debian 12 is
# unpacked into the cache; the host's package brings the libraries, and stands in if that fails.

QEMU_PACKAGES=(qemu-system-x86/bookworm-backports qemu-system-common/bookworm-backports
    qemu-system-data/bookworm-backports seabios/bookworm)

qemu_fetch() {
    local dir=$LAB_CACHE/qemu
    [[ ! -d $dir ]] || return 0
    apt_prepare
    log "downloading and unpacking a newer QEMU"
    unpack_packages "$dir" "${QEMU_PACKAGES[@]}"
    "$dir/usr/bin/qemu-system-x86_64" --version >/dev/null 2>&1 ||
        log "it does not run here; the host's QEMU is used, which may crash guests with several CPUs"
}

# Sets QEMU_PROGRAM, the first words of the command.
qemu_find() {
    local dir=$LAB_CACHE/qemu
    QEMU_PROGRAM=("$dir/usr/bin/qemu-system-x86_64" -L "$dir/usr/share/qemu" -L "$dir/usr/share/seabios")
    "${QEMU_PROGRAM[0]}" --version >/dev/null 2>&1 || QEMU_PROGRAM=(qemu-system-x86_64)
}
