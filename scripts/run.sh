#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Skein for release and starts it with its traces in $DATA. Further arguments go to `skein serve`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/needs.sh"
cd "$root"

need_swift
need_libraries
say "building (the first time takes some minutes)"
swift build -c release --product skein
say "starting Skein with its data in ${DATA:=./data}; once it says ready, the page is at http://127.0.0.1:16686"
exec "$(swift build -c release --show-bin-path)/skein" serve --data-dir "$DATA" "$@"
