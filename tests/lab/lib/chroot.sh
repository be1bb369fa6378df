# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A minimal Debian 13 tree with the compiler and headers that the newest kernel wants.
# Called by kernels.sh (chroot_make) and kmod.sh (chroot_run); owns $LAB_CACHE/chroot-LABEL.

chroot_dir() { printf '%s/chroot-%s' "$LAB_CACHE" "$1"; }

chroot_make() {
    local label=$1 dir release
    local -a lines
    dir=$(chroot_dir "$label")
    resolve_release "$label"
    release=$(kernel_release "$label")
    [[ -e $dir/ready ]] && return
    need_root "making the chroot for kernel $label"
    apt_find_mirrors
    mapfile -t lines < <(apt_sources | grep -E ' trixie(-backports)? ')
    log "kernel $label: making a Debian 13 chroot with gcc-14 and its headers"
    rm -rf -- "$dir"
    quietly "$LAB_CACHE/log/mmdebstrap" mmdebstrap --mode=root --variant=apt \
        --include="gcc-14,make,linux-headers-$release" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        trixie "$dir" "${lines[@]}" ||
        die "mmdebstrap failed; try again after: $LAB clean"
    : >"$dir/ready"
}

# chroot_run LABEL CMD...: the environment of the caller stays out.
chroot_run() {
    local dir
    dir=$(chroot_dir "$1")
    shift
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root chroot "$dir" "$@"
}
