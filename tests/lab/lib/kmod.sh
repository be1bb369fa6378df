# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Builds the kernel module for one kernel of the lab, out of tree, into
# $LAB_BUILD/kmod-LABEL/scuse.ko. Called by build.sh and suite.sh; owns $LAB_BUILD/kmod-LABEL:
#   src/kmod, src/include   copies of the sources, beside each other as in the tree
#   build.log               what the compiler said since the last build from scratch
#   scuse.ko                without debug sections; the one in src/kmod has them

KMOD_SOURCES=${SCUSE_KMOD_SOURCES:-$LAB_TOP/kmod}

kmod_dir() { printf '%s/kmod-%s' "$LAB_BUILD" "$1"; }

# kmod_copy DIR: brings the copies up to date; prints what changed.
kmod_copy() {
    mkdir -p "$1/src/kmod" "$1/src/include"
    # What kbuild makes is not matched, so --delete leaves it.
    rsync -rlpci --delete --exclude='*.mod.c' --exclude=rawtable.c --include='*/' --include=Kbuild \
        --include=Makefile --include='*.c' --include='*.h' --include='*.S' --include='*.table' --include='*.awk' \
        --exclude='*' "$KMOD_SOURCES/" "$1/src/kmod/"
    rsync -rlpci --delete "$LAB_TOP/include/" "$1/src/include/"
}

# kmod_make LABEL DIR TARGET...: runs kbuild where this kernel's headers and compiler are.
kmod_make() {
    local label=$1 dir=$2 root
    shift 2
    if label_in_chroot "$label"; then
        root=$(chroot_dir "$label")
        mkdir -p "$root/build"
        # In a mount namespace of its own, so nothing stays mounted. objtool wants /proc.
        # shellcheck disable=SC2016 # expanded by the inner shell
        unshare -m sh -c 'mount --bind "$1" "$2/build" && shift && root=$1 && shift &&
            mount -t proc proc "$root/proc" &&
            exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C chroot "$root" "$@"' \
            sh "$dir/src" "$root" \
            make -C "/usr/src/linux-headers-$(kernel_release "$label")" M=/build/kmod "$@"
    else
        env -u MAKEFLAGS -u MAKELEVEL LC_ALL=C \
            make -C "$(headers_dir "$label")" "M=$dir/src/kmod" "$@"
    fi
}

kmod_warnings() { grep -aiE 'warning' -- "$1/build.log"; }

kmod_compile() {
    local label=$1 dir=$2 status=0
    log "building the module for kernel $label"
    # Type information (BTF) would need the kernel's own, which no package has.
    kmod_make "$label" "$dir" -j2 W=1 CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$dir/build.now" 2>&1 || status=$?
    cat -- "$dir/build.now" >>"$dir/build.log"
    if ((status)); then
        grep -aE -A 8 'error|Error|\*\*\*' "$dir/build.now" | head -n 80 >&2 || tail -n 30 "$dir/build.now" >&2
        log "the module does not build for kernel $label; the whole output: $dir/build.log"
        return 1
    fi
    strip --strip-debug -o "$dir/scuse.ko.new" "$dir/src/kmod/scuse.ko"
    mv -- "$dir/scuse.ko.new" "$dir/scuse.ko"
}

kmod_from_scratch() {
    rm -rf -- "$2/src" "$2/build.log" "$2/scuse.ko"
    kmod_copy "$2" >/dev/null
    kmod_compile "$1" "$2"
}

# kmod_update LABEL [strict]: what has changed is built; strict fails on any warning.
kmod_update() {
    local label=$1 strict=${2:-} dir changed
    dir=$(kmod_dir "$label")
    [[ $dir != *[[:space:]:]* || $label == 7.x ]] ||
        die "kbuild cannot work in '$dir': set SCUSE_BUILD_DIR to a path without blanks and colons"
    [[ -e $KMOD_SOURCES/Kbuild ]] || die "no $KMOD_SOURCES/Kbuild: is this a whole source tree?"
    mkdir -p "$dir"
    changed=$(kmod_copy "$dir")
    if [[ $(cat "$dir/release" 2>/dev/null) != $(kernel_release "$label") ]]; then
        rm -f "$dir/scuse.ko"
        kmod_from_scratch "$label" "$dir" || return 1
        kernel_release "$label" >"$dir/release"
    elif [[ -n $changed || ! -e $dir/scuse.ko ]]; then
        # A failed build must be tried again even if nothing changes.
        rm -f "$dir/scuse.ko"
        kmod_compile "$label" "$dir" || return 1
    fi
    [[ -n $strict ]] && kmod_warnings "$dir" >/dev/null || return 0
    # They may be of code that has gone since.
    kmod_from_scratch "$label" "$dir" || return 1
    if kmod_warnings "$dir" >&2; then
        log "the module builds for kernel $label, but not without warnings: $dir/build.log"
        return 1
    fi
}

kmod_build() {
    headers_need "$1"
    with_lock "$LAB_BUILD/.lab-lock" kmod_update "$@"
}
