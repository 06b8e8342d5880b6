#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds every decoder of outside bytes with libFuzzer, replays the kept inputs of each (Fuzz/Corpus/TARGET) and makes
# new ones of them for $FUZZ_SECONDS each; $TARGETS names some instead of all. An input that breaks a decoder is left in
# .build/fuzz. With KEEP=1 inputs that reach what no kept one does are added to the corpus, and those that reach nothing
# of their own taken out.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/needs.sh"
cd "$root"

need_swift
need_libraries
found="$root/.build/fuzz"
mkdir -p "$found"
export SWIFT_BACKTRACE=enable=no # libFuzzer tells where it stopped, in a second instead of a minute

# Xcode's toolchain has no libFuzzer; those of swift.org have.
probe="$(mktemp -d)"
trap 'rm -rf "$probe"' EXIT
printf '@_cdecl("LLVMFuzzerTestOneInput") public func run(_ b: UnsafePointer<UInt8>, _ n: Int) -> CInt { 0 }\n' \
    >"$probe/probe.swift"
if ! swiftc -sanitize=fuzzer -parse-as-library "$probe/probe.swift" -o "$probe/probe" 2>"$probe/log"; then
    say "skipped: this Swift has no libFuzzer. On macOS install a toolchain of swift.org: swiftly install latest"
    sed 's/^/    /' "$probe/log" >&2
    echo "0 targets fuzzed, 0 failed, 1 skipped"
    exit 0
fi

say "building the decoders with libFuzzer"
export SKEIN_FUZZ=1
build=(swift build --sanitize fuzzer --scratch-path .build-fuzz --product SkeinFuzz)
"${build[@]}"
binary="$("${build[@]}" --show-bin-path)/SkeinFuzz"

passed=0 failed=0
for target in ${TARGETS:-$("$binary")}; do
    export SKEIN_FUZZ_TARGET="$target"
    corpus="Fuzz/Corpus/$target" new="$found/$target" log="$found/$target.log"
    mkdir -p "$corpus" "$new"
    # An input of some KiB that takes longer is a defect, also where others use the machine.
    options=(-timeout=20 -rss_limit_mb=2048 -artifact_prefix="$found/$target-" -print_final_stats=1)
    # One run of every kept input, and then as long as is asked for.
    if "$binary" "${options[@]}" -seed="${FUZZ_SEED:-0}" -max_total_time="${FUZZ_SECONDS:=20}" "$new" "$corpus" >"$log" 2>&1; then
        runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
        printf '%-24s %4d kept inputs, %8d runs\n' "$target" "$(find "$corpus" -type f | wc -l)" "${runs:-0}"
        passed=$((passed + 1))
    else
        grep -E 'Fatal error|ERROR: libFuzzer|Test unit written' "$log" || tail -n 20 "$log"
        printf '%-24s FAILED: %s\n' "$target" "$log"
        failed=$((failed + 1))
        continue
    fi
    if [ -n "${KEEP:-}" ]; then
        rm -rf "$new.merged" && mkdir "$new.merged"
        "$binary" "${options[@]}" -merge=1 "$new.merged" "$corpus" "$new" >>"$log" 2>&1
        rm -rf "$corpus" && mv "$new.merged" "$corpus"
    fi
done
echo "$passed targets fuzzed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
