# Debian packages without installing them: a private apt root in the cache, so root and ordinary users go one way and
# the machine's own package state stays as it is. Sourced by script/bootstrap.
# shellcheck shell=bash

# The machine's Debian mirror (the main archive). Its name is never written in this project.
debian_mirror() {
    if [[ -n ${CV_DEBIAN_MIRROR-} ]]; then
        echo "$CV_DEBIAN_MIRROR"
        return
    fi
    local found
    found=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 2>/dev/null | sed -n 's/^Debian|//p' | sort -u | head -n 1)
    # Fresh containers have no lists yet: read the sources files, both styles.
    [[ -n $found ]] || found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed 's/#.*//' | grep -E '^(deb |URIs:)' | grep -oE '[a-z+]+:/+[^] ]+' | grep -E '/debian/?$' | head -n 1)
    echo "$found"
}

# apt_root NAME: configuration of a private apt. `odoo`: unstable + bookworm of the mirror; `machine`: the machine's own
# sources. The machine's apt.conf.d still counts (proxy, certificates); `-c` is read after it.
apt_root() {
    local root=$CV_CACHE/apt/$1 mirror
    APT_CONF=$root/apt.conf
    have apt-get && have dpkg-deb || die "this machine has no apt: use Debian or Ubuntu, or bring your own (ODOO_SRC or ODOO_BIN, PGHOST, a chromium on PATH)"
    mkdir -p "$root"/{state,lists/partial,cache/archives/partial,empty}
    {
        echo "Dir::State \"$root/state\"; Dir::State::Lists \"$root/lists\"; Dir::Cache \"$root/cache\";"
        echo 'Dir::State::status "/var/lib/dpkg/status"; Acquire::Languages "none"; Debug::NoLocking "true";'
        printf '#clear APT::Update::%s;\n' Pre-Invoke Post-Invoke Post-Invoke-Success
        echo 'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false"; Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";'
        ((EUID)) || echo 'APT::Sandbox::User "root";'
    } >"$APT_CONF"
    if [[ $1 == odoo ]]; then
        mirror=$(debian_mirror)
        [[ -n $mirror ]] || die "no Debian mirror found in apt's sources: name one, CV_DEBIAN_MIRROR=<address of a Debian archive>, or bring your own Odoo (ODOO_SRC)"
        local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
        [[ -r $keyring ]] || die "$keyring is missing: install the package debian-archive-keyring, or bring your own Odoo (ODOO_SRC)"
        printf "deb [signed-by=$keyring] $mirror %s main\n" unstable bookworm >"$root/sources.list"
        echo "Dir::Etc::sourcelist \"$root/sources.list\"; Dir::Etc::sourceparts \"$root/empty\"; Dir::Etc::preferencesparts \"$root/empty\";" >>"$APT_CONF"
    fi
}
apt_get() { apt-get -c "$APT_CONF" "$@"; }
# A failed list download is only a warning to apt: make it fail here, where the reason is still known.
apt_update() { apt_get update -o APT::Update::Error-Mode=any; }

# apt_unpack FOLDER PACKAGE...: download (checksums verified by apt) and unpack.
apt_unpack() {
    local target=$1 debs=$1.debs deb
    shift
    rm -rf "$debs"
    mkdir -p "$debs" "$target"
    (cd "$debs" && apt_get download "$@")
    for deb in "$debs"/*.deb; do
        echo "unpacking ${deb##*/}"
        dpkg-deb -x "$deb" "$target"
    done
    (cd "$debs" && for deb in *.deb; do echo "${deb%.deb}"; done) >>"$target/.packages"
    rm -rf "$debs"
}
