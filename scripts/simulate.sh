#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the store's simulation for release, without outside packages, and runs $SEEDS seeds from $FIRST on, all of
# them on one kind of disk when $DISK names one: crashing, failing or rotting.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/needs.sh"
cd "$root"

need_swift
need_libraries
say "building the simulation for release"
export SKEIN_CORE=1
swift build -c release --scratch-path .build-simulate --product SkeinSimulation
exec .build-simulate/release/SkeinSimulation "${SEEDS:=10000}" "${FIRST:=0}" ${DISK:+"$DISK"}
