# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A private apt root: looks up and downloads Debian packages of suites that the host does not use,
# with signatures checked by the host's archive keyring, and leaves the host's apt alone.
# Called by kernels.sh and chroot.sh; owns $LAB_CACHE/apt.

APT_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
APT_SUITES_MAIN=(bookworm bookworm-backports trixie trixie-backports)
APT_SUITES_SECURITY=(bookworm-security)

# The mirrors are the host's own: no host name is written here. Prints "LABEL URI" lines.
apt_host_mirrors() {
    # shellcheck disable=SC2016 # for apt to expand
    apt-get indextargets --format '$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(REPO_URI)' 2>/dev/null |
        awk -F'|' '$1 == "Packages" && $2 == "Debian" { print $3, $4 }' | sort -u
}

apt_mirror() {
    local uri
    uri=$(apt_host_mirrors | awk -v label="$1" '$1 == label { print $2; exit }')
    [[ -n $uri ]] || return 1
    printf '%s' "$uri"
}

# A fresh machine has no package lists yet, and then apt cannot tell whose a mirror is.
apt_find_mirrors() {
    if ! APT_MAIN=$(apt_mirror Debian); then
        log "the host has no package lists yet: running apt-get update"
        need_root "apt-get update"
        quietly "$LAB_CACHE/log/apt-update" apt-get update || true
        APT_MAIN=$(apt_mirror Debian) ||
            die "the host's apt has no Debian archive: add one to /etc/apt/sources.list"
    fi
    # Without a security mirror of its own, the host's main one may still hold what is needed.
    APT_SECURITY=$(apt_mirror Debian-Security) || APT_SECURITY=
}

# apt_sources: deb lines for every suite that the lab takes packages from.
apt_sources() {
    local suite
    for suite in "${APT_SUITES_MAIN[@]}"; do
        printf 'deb [signed-by=%s] %s %s main\n' "$APT_KEYRING" "$APT_MAIN" "$suite"
    done
    [[ -n $APT_SECURITY ]] || return 0
    for suite in "${APT_SUITES_SECURITY[@]}"; do
        printf 'deb [signed-by=%s] %s %s main\n' "$APT_KEYRING" "$APT_SECURITY" "$suite"
    done
}

# private TOOL ARG...: an apt tool that sees the private root only. The host's apt.conf still counts
# (a proxy, say).
private() {
    local tool=$1 root=$LAB_CACHE/apt
    shift
    "$tool" \
        -o Dir::Etc::SourceList="$root/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::State::Lists="$root/lists" -o Dir::State::status="$root/status" \
        -o Dir::Cache="$root/cache" -o Acquire::Languages=none \
        -o APT::Architecture=amd64 -o APT::Sandbox::User=root \
        "$@"
}

# apt_prepare [fresh]: makes the private root; fetches the lists when there are none, or when asked.
apt_prepare() {
    local root=$LAB_CACHE/apt
    [[ ${1:-} != fresh && -e $root/ready ]] && return 0
    [[ -r $APT_KEYRING ]] || die "no $APT_KEYRING: install debian-archive-keyring"
    apt_find_mirrors
    mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
    : >"$root/status"
    apt_sources >"$root/sources.list"
    log "fetching package lists into $root"
    if ! quietly "$LAB_CACHE/log/private-apt-update" private apt-get update --error-on=any; then
        grep -qE 'NO_PUBKEY|EXPKEYSIG|not signed|signatures' "$LAB_CACHE/log/private-apt-update" &&
            die "a suite's InRelease is not signed by a key of $APT_KEYRING:" \
                "upgrade the package debian-archive-keyring"
        die "cannot read the package lists of the host's Debian mirror"
    fi
    : >"$root/ready"
}

# apt_names REGEX: names of the packages that can be had, one a line.
apt_names() {
    private apt-cache pkgnames | grep -xE -- "$1" || true
}

# apt_has NAME: whether a package can be downloaded (pkgnames also lists names only referred to).
apt_has() {
    [[ -n $(private apt-cache madison "$1" 2>/dev/null) ]]
}

# apt_depends NAME: direct dependencies, one a line.
apt_depends() {
    private apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances "$1" | sed -nE 's/^[ |]*(Pre)?Depends: ([^<].*)$/\2/p'
}

# apt_download DIR NAME...: the packages' .deb files, checked against the signed lists.
apt_download() {
    local dir=$1
    shift
    mkdir -p "$dir"
    (cd -- "$dir" && quietly "$LAB_CACHE/log/download" private apt-get download -y "$@") ||
        die "cannot download: $*"
}
