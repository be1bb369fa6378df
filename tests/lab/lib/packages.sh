# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Installs the Debian packages of tests/lab/packages that the host lacks.
# Called by build, test, demo, shell and exec before anything else; owns nothing but that list.

# Names of the list's packages that are not installed, one a line.
missing_packages() {
    local -a names
    mapfile -t names < <(sed -nE 's/^([a-z0-9][^[:space:]]*).*/\1/p' "$LAB_DIR/packages")
    dpkg-query -W -f '${Package} ${Status}\n' "${names[@]}" 2>/dev/null |
        awk -v wanted="${names[*]}" '
            / install ok installed$/ { there[$1] = 1 }
            END { n = split(wanted, name, " "); for (i = 1; i <= n; i++) if (!(name[i] in there)) print name[i] }'
}

# A package's start-up scripts must not start services (iscsid, target) on the host, nor fail for
# want of an init: policy-rc.d is Debian's switch for that. It is put back whatever happens.
no_services_begin() {
    [[ ! -e /usr/sbin/policy-rc.d ]] || return 0
    on_exit rm -f /usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    NO_SERVICES=1
}
no_services_end() {
    [[ -z ${NO_SERVICES:-} ]] || rm -f /usr/sbin/policy-rc.d
}

install_packages() {
    local -a missing
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0
    log "missing Debian packages (see $LAB_DIR/packages for why): ${missing[*]}"
    [[ $(id -u) == 0 ]] ||
        die "install them: sudo apt-get install --no-install-recommends ${missing[*]}"
    log "installing them with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    quietly "$LAB_CACHE/log/apt-update" apt-get update ||
        die "apt-get update failed: check the host's apt sources and network"
    no_services_begin
    quietly "$LAB_CACHE/log/apt-install" \
        apt-get install -y --no-install-recommends "${missing[@]}" ||
        die "apt-get install failed: fix what it says above, then run this again"
    no_services_end
}
