#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Skein for release and measures its page in Chromium. Further arguments go to bench/page.py.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/needs.sh"
cd "$root"

need_swift
need_libraries
need_python
need_browser
need_venv .venv-test Tests/Integration/requirements.txt
say "building for release"
swift build -c release --product skein
exec .venv-test/bin/python bench/page.py --binary "$(swift build -c release --show-bin-path)/skein" "$@"
