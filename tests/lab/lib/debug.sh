# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Builds the debug kernel (label debug) out of Debian's package linux-source-6.1 with the options of
# debug.config. Called by kernels.sh, under the cache's lock; owns $LAB_CACHE/kernels/debug:
#   building/       source and objects until the build is complete: an interrupted one goes on there
#   headers/        what is left of them, in the layout of a headers package
#   image/          lib/modules/RELEASE
#   vmlinux         boots as it is
# The release name has the version of the source and a checksum of debug.config: `lab kernels --update`
# sees a change of either, and modules are built anew for another kernel.

DEBUG_CONFIG=$LAB_DIR/debug.config
DEBUG_PACKAGE=linux-source-6.1

debug_mark() { printf 'debug.%s' "$(sha256sum <"$DEBUG_CONFIG" | cut -c 1-8)"; }

# The newest version of the package, with Debian's revision.
debug_version() {
    private apt-cache madison "$DEBUG_PACKAGE" | awk '{ print $3 }' | sort -rV | head -n 1
}

debug_release() {
    local version
    version=$(debug_version)
    [[ -n $version ]] || return 1
    printf '%s-%s' "${version%%-*}" "$(debug_mark)"
}

# A cached kernel goes on to be used when debug.config has changed, as it takes long to make another.
debug_tell_stale() {
    [[ $1 == *-"$(debug_mark)" ]] ||
        verbose "kernel debug: $1 is not what $DEBUG_CONFIG makes now; $LAB kernels --update has it built anew"
}

# Of the source only what an x86 guest's kernel can need: all Kconfig files, few drivers.
debug_unpack() {
    local dir=$1 version path
    local -a exclude=()
    for path in 'Documentation/*/*' 'samples/*.[chS]' 'sound/*.[ch]' 'drivers/gpu/*.[ch]' 'drivers/media/*.[ch]' \
        'drivers/staging/*.[ch]' 'drivers/net/*/*.[ch]' 'tools/perf' 'tools/testing' 'arch/[a-tv-w]*/*.[chS]' 'arch/*.dts*'; do
        exclude+=("--exclude=$DEBUG_PACKAGE/$path")
    done
    apt_prepare
    version=$(private apt-cache madison "$DEBUG_PACKAGE" | awk -v v="$2" 'index($3, v "-") == 1 { print $3; exit }')
    [[ -n $version ]] || die "the Debian mirror no longer has $DEBUG_PACKAGE $2: try $LAB kernels --update"
    log "kernel debug: downloading and unpacking $DEBUG_PACKAGE $version"
    rm -rf -- "$dir"
    mkdir -p "$dir/deb" "$dir/linux"
    apt_download "$dir/deb" "$DEBUG_PACKAGE=$version"
    dpkg-deb --fsys-tarfile "$dir/deb"/*.deb | tar -xO --wildcards '*/linux-source-*.tar.xz' |
        tar -xJ -C "$dir/linux" --strip-components=1 --anchored "${exclude[@]}" ||
        die "cannot unpack $DEBUG_PACKAGE"
    rm -rf -- "$dir/deb"
    # Faults that strike one module's allocations alone are for others only in 6.1; later kernels have them on
    # this machine too.
    sed -i '/^config FAULT_INJECTION_STACKTRACE_FILTER$/,/^\thelp$/{/depends on !X86_64/d}' \
        "$dir/linux/lib/Kconfig.debug"
    : >"$dir/unpacked"
}

debug_make() {
    env -u MAKEFLAGS -u MAKELEVEL LC_ALL=C KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=scuse \
        make -C "$1/linux" "${@:2}"
}

# Options that the source does not have, or that others forbid, would be lost without a word.
debug_check_config() {
    local line lost=
    while read -r line; do
        grep -qxF -- "$line" "$1/.config" || lost+=" ${line%%=*}"
    done < <(grep '^CONFIG_' "$DEBUG_CONFIG")
    [[ -z $lost ]] || die "kernel debug: $DEBUG_CONFIG asks for what this source cannot give:$lost"
}

debug_configure() {
    local dir=$1 mark
    mark=$(debug_mark)
    debug_make "$dir" tinyconfig &&
        (cd -- "$dir/linux" && scripts/kconfig/merge_config.sh -m .config "$DEBUG_CONFIG") &&
        printf '%s\n' "CONFIG_LOCALVERSION=\"-$mark\"" '# CONFIG_LOCALVERSION_AUTO is not set' \
            >>"$dir/linux/.config" &&
        debug_make "$dir" olddefconfig
}

# A line a minute: the build takes long, and must not look as if it hung.
debug_progress() {
    local begin=$SECONDS
    exec 9>&- # the cache's lock: this may outlive a run that is killed, by a minute
    while sleep 60 && kill -0 "$$" 2>/dev/null; do
        log "kernel debug: $(grep -cE '^  (CC|AS) ' "$1" || true) objects in $(((SECONDS - begin) / 60)) min"
    done
}

debug_compile() {
    local dir=$1 log_file=$LAB_CACHE/log/debug-kernel watch status=0
    mkdir -p "$LAB_CACHE/log"
    debug_progress "$log_file" &
    watch=$!
    quietly "$log_file" debug_make "$dir" "-j$(nproc)" vmlinux modules || status=$?
    kill "$watch" 2>/dev/null || true
    return "$status"
}

debug_install() {
    local dir=$1 release=$2 top=$3
    rm -rf -- "$top/image" "$top/headers" "$top/initrd.cpio"
    quietly "$LAB_CACHE/log/debug-modules" debug_make "$dir" \
        modules_install INSTALL_MOD_PATH="$top/image" INSTALL_MOD_STRIP=1 || return 1
    rm -f -- "$top/image/lib/modules/$release"/{build,source}
    # What QEMU loads must not be long: symbols are in kallsyms.
    strip -o "$top/vmlinux.new" "$dir/linux/vmlinux" && mv -- "$top/vmlinux.new" "$top/vmlinux" || return 1
    cp -- "$dir/linux/.config" "$top/config"
    # Modules are built with headers, makefiles, and the programs in scripts/ and tools/objtool.
    find "$dir/linux" -path "$dir/linux/scripts" -prune -o -path "$dir/linux/tools" -prune -o -type f \
        \( -name '*.[oacS]' -o -name '*.ko' -o -name '.*.cmd' -o -name 'vmlinux*' -o -name '*.mod' \) -delete
    mkdir -p "$top/headers/usr/src"
    mv -- "$dir/linux" "$top/headers/usr/src/linux-headers-$release"
    rm -rf -- "$dir"
}

# debug_fetch DIR RELEASE: image and headers are there when this returns.
debug_fetch() {
    local top=$1 release=$2 dir=$1/building begin=$SECONDS
    if [[ -d $top/image && -d $top/headers ]]; then
        debug_tell_stale "$release"
        return
    fi
    [[ -e $dir/unpacked ]] || debug_unpack "$dir" "${release%%-*}"
    log "kernel debug: building $release, which takes about ten minutes on two idle CPUs; kept in $top"
    quietly "$LAB_CACHE/log/debug-config" debug_configure "$dir" || die "the debug kernel cannot be configured"
    debug_check_config "$dir/linux"
    debug_compile "$dir" || die "the debug kernel does not build"
    debug_install "$dir" "$release" "$top" || die "the debug kernel cannot be installed in $top"
    log "kernel debug: built in $(((SECONDS - begin) / 60)) min $(((SECONDS - begin) % 60)) s"
}
