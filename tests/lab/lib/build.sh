# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Builds userspace with cmake into $LAB_BUILD, and with kmod.sh all that a guest needs.
# Called by the lab's build, exec, shell, demo and test; owns the configuration of $LAB_BUILD.

userspace_update() {
    if [[ ! -e $LAB_BUILD/CMakeCache.txt ]]; then
        quietly "$LAB_BUILD/lab-configure.log" cmake -S "$LAB_TOP" -B "$LAB_BUILD" \
            -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSCUSE_WERROR=ON || return 1
    fi
    quietly "$LAB_BUILD/lab-build.log" cmake --build "$LAB_BUILD" -j 2
}

build_userspace() {
    mkdir -p "$LAB_BUILD"
    with_lock "$LAB_BUILD/.lab-lock" userspace_update || die "userspace does not build"
}

# build_for_guest LABEL: brings what the guest starts up to date.
build_for_guest() {
    build_userspace
    kmod_build "$1"
}
