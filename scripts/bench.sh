#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Skein for release and measures it: bench/README.md says what the numbers are. Further arguments go to
# bench/run.py.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/needs.sh"
cd "$root"

need_swift
need_libraries
need_python
have cc || install "gcc libc6-dev" "gcc" "a C compiler for the replayer"
say "building for release"
swift build -c release --product skein
exec python3 bench/run.py --binary "$(swift build -c release --show-bin-path)/skein" \
    --spans "${SPANS:=1000000}" --passes "${PASSES:=1}" "$@"
