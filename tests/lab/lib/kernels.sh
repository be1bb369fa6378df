# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Gets the kernels that guests boot and the headers that modules are built against, out of
# Debian packages that are unpacked into the cache: nothing is installed on the host. (The debug kernel
# is built, see debug.sh, and lies there in the same way.)
# Called by vm.sh and kmod.sh through kernel_need and headers_need; owns $LAB_CACHE/kernels/LABEL:
#   release         the release name, e.g. 6.1.0-NN-amd64: fixed until `lab kernels --update`
#   image/          boot/vmlinuz-* (or beside the modules), lib/modules/RELEASE
#   headers/        usr/src, usr/lib (kbuild); not for labels built in the chroot
#   vmlinux         the kernel unpacked, when that could be done
#   initrd.cpio     see initrd.sh

LAB_LABELS=(6.1 6.12 7.x debug)

# Which release names belong to a label. The suite's mark (+debNN) keeps trixie's 6.12 apart.
label_pattern() {
    case $1 in
    6.1) printf '%s' '6\.1\.0-[0-9]+-amd64' ;;
    6.12) printf '%s' '6\.12\.[0-9]+\+deb12(\.[0-9]+)?-amd64' ;;
    7.x) printf '%s' '7\.[0-9]+\.[0-9]+\+deb13(\.[0-9]+)?-amd64' ;;
    *) return 1 ;;
    esac
}

# What a label's kernel wants on its command line: the debug kernel has no time for ACPI's interpreter.
label_cmdline() { [[ $1 != debug ]] || printf ' acpi=off'; }

# Debian 12's compiler cannot build for 7.x (no -fmin-function-alignment): that is done in a chroot.
label_in_chroot() { [[ $1 == 7.x ]]; }

check_label() {
    [[ " ${LAB_LABELS[*]} " == *" $1 "* ]] || usage_error "no kernel '$1': there are ${LAB_LABELS[*]}"
}

kernel_dir() { printf '%s/kernels/%s' "$LAB_CACHE" "$1"; }
kernel_release() { cat -- "$(kernel_dir "$1")/release"; }
# Newer packages keep the kernel beside its modules.
packed_kernel() {
    local old
    old=$(kernel_dir "$1")/image/boot/vmlinuz-$(kernel_release "$1")
    if [[ -e $old ]]; then printf '%s' "$old"; else printf '%s/vmlinuz' "$(kernel_modules "$1")"; fi
}
kernel_image() {
    local unpacked
    unpacked=$(kernel_dir "$1")/vmlinux
    if [[ -s $unpacked ]]; then printf '%s' "$unpacked"; else packed_kernel "$1"; fi
}
kernel_modules() { printf '%s/image/lib/modules/%s' "$(kernel_dir "$1")" "$(kernel_release "$1")"; }
headers_dir() {
    printf '%s/headers/usr/src/linux-headers-%s' "$(kernel_dir "$1")" "$(kernel_release "$1")"
}

# newest_release LABEL: the newest release that has both an image and headers.
newest_release() {
    local release
    if [[ $1 == debug ]]; then
        debug_release
        return
    fi
    while read -r release; do
        if apt_has "linux-image-$release" && apt_has "linux-headers-$release"; then
            printf '%s' "$release"
            return
        fi
    done < <(apt_names "linux-image-$(label_pattern "$1")" | sed 's/^linux-image-//' | sort -rV)
    return 1
}

resolve_release() {
    local label=$1 dir release
    dir=$(kernel_dir "$label")
    [[ -s $dir/release ]] && return
    apt_prepare
    release=$(newest_release "$label") ||
        die "no package for kernel $label in the Debian mirror: try lab kernels --update"
    mkdir -p "$dir"
    printf '%s\n' "$release" >"$dir/release"
}

# Newer images come in parts: the kernel, its modules and common files have packages of their own.
image_packages() {
    local part
    for part in image binary modules base; do
        apt_has "linux-$part-$1" && printf 'linux-%s-%s\n' "$part" "$1"
    done
    return 0
}

# The headers package and the parts that it needs, but not compilers or the image.
header_packages() {
    printf '%s\n' "linux-headers-$1"
    apt_depends "linux-headers-$1" | grep -E '^linux-(headers|kbuild)-' | sort -u
}

# Drivers for hardware that no guest has are most of the modules' size and unpacking time.
UNUSED_MODULES=(drivers/gpu drivers/media drivers/net/wireless drivers/net/ethernet drivers/staging
    drivers/iio drivers/hwmon drivers/infiniband drivers/usb drivers/input drivers/platform sound)

unpack_deb() {
    local deb=$1 dir=$2 path
    local -a exclude=()
    for path in "${UNUSED_MODULES[@]}"; do
        exclude+=("--exclude=*/lib/modules/*/kernel/$path")
    done
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --keep-directory-symlink "${exclude[@]}"
}

# unpack_packages DIR NAME...: downloads and unpacks into DIR, which appears only when complete.
unpack_packages() {
    local dir=$1 deb
    shift
    rm -rf -- "$dir.new"
    mkdir -p "$dir.new/usr/lib" "$dir.new/debs"
    # Packages of newer suites ship /usr/lib only: one name for both.
    ln -s usr/lib "$dir.new/lib"
    apt_download "$dir.new/debs" "$@"
    for deb in "$dir.new/debs"/*.deb; do
        unpack_deb "$deb" "$dir.new"
    done
    rm -rf -- "$dir.new/debs" "$dir"
    mv -- "$dir.new" "$dir"
}

# inflate IMAGE MAGIC CMD...: what CMD makes of the part of IMAGE that begins with MAGIC
inflate() {
    local image=$1 at
    [[ -e $image ]] || die "$image is missing: try $LAB clean"
    at=$(LC_ALL=C grep -obUaP -m 1 -- "$2" "$image" | head -n 1 | cut -d: -f1) || return 1
    shift 2
    # What follows the kernel in the image is not compressed: CMD complains of it, after the end.
    tail -c +$((at + 1)) -- "$image" | "$@" 2>/dev/null || true
}

# A guest without KVM takes five seconds to unpack its own kernel; QEMU boots an unpacked one (by
# PVH) at once. If this image cannot be unpacked, it is booted as it is.
unpack_kernel() {
    local image=$1 out=$2
    inflate "$image" '\xfd7zXZ\x00' xz -dcq --single-stream >"$out.new" || true
    is_pvh_kernel "$out.new" || inflate "$image" '\x28\xb5\x2f\xfd' zstd -dcq >"$out.new" || true
    if is_pvh_kernel "$out.new"; then
        mv -- "$out.new" "$out"
    else
        verbose "$image: cannot unpack it, so it boots slowly"
        rm -f -- "$out.new"
    fi
}

# The note that QEMU looks for has type 18 (0x12), owner Xen.
is_pvh_kernel() {
    readelf -Wn "$1" 2>/dev/null | grep -qE 'Xen .*\(0x0*12\)'
}

kernel_fetch() {
    local label=$1 dir release
    local -a names
    dir=$(kernel_dir "$label")
    resolve_release "$label"
    release=$(kernel_release "$label")
    if [[ $label == debug ]]; then
        debug_fetch "$dir" "$release"
    elif [[ ! -d $dir/image ]]; then
        apt_prepare
        mapfile -t names < <(image_packages "$release")
        log "kernel $label: downloading and unpacking ${names[*]}"
        unpack_packages "$dir/image" "${names[@]}"
        rm -f -- "$dir/initrd.cpio"
        unpack_kernel "$(packed_kernel "$label")" "$dir/vmlinux"
    fi
    [[ -e $dir/image/lib/modules/$release/modules.dep.bin ]] ||
        quietly "$LAB_CACHE/log/depmod" depmod -b "$dir/image" "$release" ||
        die "depmod failed for $release"
}

# Headers name each other by absolute paths: make those point into the cache.
relocate_headers() {
    local root=$1 file
    grep -rlIE --include=Makefile '/usr/(src|lib)/linux-' "$root/usr/src" --max-count=1 \
        --exclude-dir=include --exclude-dir=arch | while read -r file; do
        sed -i -E "s#(^|[ =])/usr/(src|lib)/linux-#\1$root/usr/\2/linux-#g" "$file"
    done
    find "$root/usr" -type l -lname '/usr/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r file target; do
        ln -sfn "$root$target" "$file"
    done
}

headers_fetch() {
    local label=$1 dir release
    local -a names
    dir=$(kernel_dir "$label")
    resolve_release "$label"
    [[ $label != debug ]] || debug_fetch "$dir" "$(kernel_release debug)"
    [[ -d $dir/headers ]] && return
    [[ $LAB_CACHE != *[[:space:]:]* ]] ||
        die "kernel headers do not work in '$LAB_CACHE': set SCUSE_LAB_CACHE to a path without blanks and colons"
    release=$(kernel_release "$label")
    apt_prepare
    mapfile -t names < <(header_packages "$release")
    log "kernel $label: downloading and unpacking ${names[*]}"
    unpack_packages "$dir/headers.unplaced" "${names[@]}"
    mv -- "$dir/headers.unplaced" "$dir/headers"
    relocate_headers "$dir/headers" || {
        rm -rf -- "$dir/headers"
        die "cannot make the headers of $release usable in $dir"
    }
}

# kernel_need LABEL: what booting it takes is in the cache when this returns.
kernel_need() {
    check_label "$1"
    with_lock "$LAB_CACHE/lock" qemu_fetch
    with_lock "$LAB_CACHE/lock" kernel_fetch "$1"
    with_lock "$LAB_CACHE/lock" initrd_make "$1"
}

# headers_need LABEL: what building a module for it takes is in the cache when this returns.
headers_need() {
    check_label "$1"
    if label_in_chroot "$1"; then
        with_lock "$LAB_CACHE/lock" chroot_make "$1"
    else
        with_lock "$LAB_CACHE/lock" headers_fetch "$1"
    fi
}

yes_no() { if [[ -e $1 ]]; then printf yes; else printf no; fi; }

kernels_list() {
    local label dir release headers
    printf '%-6s %-28s %-8s %s\n' KERNEL RELEASE IMAGE HEADERS
    for label in "${LAB_LABELS[@]}"; do
        dir=$(kernel_dir "$label")
        release='(not looked up yet)'
        [[ ! -s $dir/release ]] || release=$(<"$dir/release")
        headers=$dir/headers
        ! label_in_chroot "$label" || headers=$(chroot_dir "$label")/ready
        printf '%-6s %-28s %-8s %s\n' "$label" "$release" \
            "$(yes_no "$dir/image")" "$(yes_no "$headers")"
    done
}

# Looks for newer releases; what is outdated is fetched again at its next use.
kernels_update() {
    local label dir newest
    apt_prepare fresh
    for label in "${LAB_LABELS[@]}"; do
        dir=$(kernel_dir "$label")
        newest=$(newest_release "$label") || continue
        [[ $(cat -- "$dir/release" 2>/dev/null) != "$newest" ]] || continue
        log "kernel $label: $newest is new"
        rm -rf -- "$dir" "$(chroot_dir "$label")"
        resolve_release "$label"
    done
}
