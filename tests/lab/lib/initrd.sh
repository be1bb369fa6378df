# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The initramfs of a guest: busybox, the modules that reach the host's root file system, and
# guest-init as its /init. Called by kernels.sh; owns $LAB_CACHE/kernels/LABEL/initrd.cpio.

INITRD_MODULES=(virtio_pci virtio_console 9pnet_virtio 9p overlay)

# insert_order DIR RELEASE: the .ko files to insert, each once and after what it needs.
insert_order() {
    local name
    for name in "${INITRD_MODULES[@]}"; do
        # A module that is built in has no line; so has one that is unknown, which the boot shows.
        modprobe -d "$1" -S "$2" --show-depends "$name" | sed -nE 's/^insmod ([^ ]+).*/\1/p'
    done | awk '!seen[$0]++'
}

# Modules are unpacked here: insmod of busybox wants them plain, and TCG is slow at it.
copy_module() {
    case $1 in
    *.xz) xz -dc -- "$1" >"$2" ;;
    *.zst) zstd -dcq -- "$1" >"$2" ;;
    *.gz) gzip -dc -- "$1" >"$2" ;;
    *) cp -- "$1" "$2" ;;
    esac
}

initrd_make() {
    local label=$1 dir out root module n=0
    dir=$(kernel_dir "$label")
    out=$dir/initrd.cpio
    [[ $out -nt $LAB_DIR/lib/guest-init && $out -nt $LAB_DIR/lib/initrd.sh ]] && return
    root=$dir/initrd.new
    rm -rf -- "$root"
    mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,rw,new}
    cp -- "$(command -v busybox)" "$root/bin/busybox"
    install -m 755 -- "$LAB_DIR/lib/guest-init" "$root/init"
    while read -r module; do
        n=$((n + 1))
        copy_module "$module" "$root/modules/$((100 + n))-$(basename "${module%%.ko*}").ko"
    done < <(insert_order "$dir/image" "$(kernel_release "$label")")
    (cd -- "$root" && find . -print0 | cpio --null -o -H newc --quiet -R 0:0) >"$out.new"
    mv -- "$out.new" "$out"
    rm -rf -- "$root"
}
