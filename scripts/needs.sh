# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: finds what a task needs on this machine and installs what is missing,
# with apt on Debian and Ubuntu, with Homebrew on macOS. Elsewhere it names what is missing and stops.

# shellcheck shell=bash disable=SC2034

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND...: through sudo only where we are not root already.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "'$*' needs root, and there is no sudo here"
    fi
}

# install "APT PACKAGES" "BREW PACKAGES" "why": one of the two lists, whichever this machine can take.
install() {
    local apt="$1" brew="$2" why="$3"
    if have apt-get; then
        say "installing $apt ($why)"
        local apt_install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends)
        # shellcheck disable=SC2086
        as_root "${apt_install[@]}" $apt >&2 </dev/null || {
            as_root apt-get update -qq >&2
            as_root "${apt_install[@]}" $apt >&2 </dev/null
        }
    elif have brew; then
        say "installing $brew ($why)"
        # shellcheck disable=SC2086
        HOMEBREW_NO_AUTO_UPDATE=1 brew install --quiet $brew >&2
    else
        die "$why is missing. Install what your system calls '$apt' and try again"
    fi
}

# Swift 6.2 or newer. It is not in Debian's packages, so we say where it comes from instead of fetching it.
need_swift() {
    local version major minor
    version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)"
    major="${version%%.*}" minor="${version##*.}"
    if [ -z "$version" ] || [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
        die "Skein needs Swift 6.2 or newer, and this machine has ${version:-none}.
  Linux:  https://www.swift.org/install/linux  (swiftly install latest)
  macOS:  Xcode 26 or newer, or https://www.swift.org/install/macos"
    fi
}

# The C libraries that Skein links: zstd and libdeflate for its blocks and for requests, zlib for the HTTP client.
need_libraries() {
    have pkg-config || install "pkg-config" "pkgconf" "pkg-config"
    local modules="libzstd libdeflate"
    have brew || modules+=" zlib" # macOS brings its own
    # shellcheck disable=SC2086
    pkg-config --exists $modules \
        || install "libzstd-dev libdeflate-dev zlib1g-dev" "zstd libdeflate" "the compression libraries"
}

need_python() {
    have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null \
        || install "python3 python3-venv" "python" "Python with venv"
}

# need_venv FOLDER REQUIREMENTS: a virtual environment holding exactly the pinned packages; made again when they change.
need_venv() {
    local venv="$root/$1" requirements="$root/$2"
    if ! cmp -s "$requirements" "$venv/requirements.txt" || ! "$venv/bin/python" -c '' 2>/dev/null; then
        say "making $1 from $2"
        python3 -m venv --clear "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2
        cp "$requirements" "$venv/requirements.txt"
    fi
}

need_node() { have node || install "nodejs" "node" "Node.js, which runs the page's unit tests"; }

find_browser() {
    local name
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return
    done
    for name in Chromium "Google Chrome"; do
        [ -x "/Applications/$name.app/Contents/MacOS/$name" ] \
            && printf '%s\n' "/Applications/$name.app/Contents/MacOS/$name" && return
    done
    return 1
}

# A Chromium for the tests of the page; its path is left in SKEIN_BROWSER.
need_browser() {
    find_browser >/dev/null || install "chromium fonts-dejavu-core" "--cask chromium" "a browser for the page's tests"
    SKEIN_BROWSER="$(find_browser)" || die "no Chromium or Chrome found even after installing one"
    export SKEIN_BROWSER
}
