#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every test there is, from nothing: installs what is missing, builds, runs all the kinds and says how each went.
# A failing kind does not hide the ones after it; whatever was skipped is counted in the summary with its reason above.
# Whole logs are left in .build/test-logs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/needs.sh"
cd "$root"

need_swift
need_libraries
need_python
need_node
need_browser
need_venv .venv-test Tests/Integration/requirements.txt
need_venv .venv-test-jaeger Tests/Integration/requirements-jaeger.txt
need_venv .venv-test-zipkin Tests/Integration/requirements-zipkin.txt
need_venv .venv-test-agents Tests/Integration/requirements-agents.txt

logs="$root/.build/test-logs"
mkdir -p "$logs"
summary="" passed=0 failed=0 skipped=0

# kind NAME PASSED FAILED SKIPPED SECONDS: one line of the summary.
kind() {
    summary+="$(printf '%-28s %6d passed %4d failed %4d skipped %6d s' "$@")"$'\n'
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
}

# last_number FILE PATTERN: the last number that PATTERN captures in FILE, 0 if none.
last_number() { sed -nE "s/.*$2.*/\1/p" "$1" | tail -n 1 | grep . || echo 0; }

# told FAILED STATUS: failures told by the runner, and at least one where it ended badly without telling any.
told() { if [ "$1" -eq 0 ] && [ "$2" -ne 0 ]; then echo 1; else echo "$1"; fi; }

# The services of Examples/ are only built where somebody asks for them.
export SKEIN_EXAMPLES=1
say "building everything with its tests"
started=$SECONDS
swift build --build-tests --enable-all-traits
built=$((SECONDS - started))

# swift_kind NAME LOG ARGUMENTS...: the Swift tests that the arguments choose.
swift_kind() {
    local name="$1" log="$logs/$2" started=$SECONDS status=0 failures total
    say "$name"
    swift test --skip-build --disable-xctest --enable-all-traits "${@:3}" 2>&1 | tee "$log" \
        | sed -E '/^◇ /d; /^✔ Test run /b; /^✔ (Test|Suite) /d' || status=$?
    failures="$(grep '✘ Test ' "$log" | grep -v 'Test run' | grep -c 'failed after' || true)"
    total="$(last_number "$log" 'Test run with ([0-9]+) tests?')"
    failures="$(told "$failures" "$status")"
    kind "$name" "$((total > failures ? total - failures : 0))" "$failures" \
        "$(grep -cE 'Test .* skipped' "$log" || true)" "$((SECONDS - started))"
}

# Listeners and exporters have deadlines, which the simulations of the core would keep two processors from meeting.
timed='SkeinServerTests|SkeinCommandTests|SkeinRecordingTests|SkeinTracingTests|SkeinInstrumentationTests'
swift_kind "Swift: doors, roof and SDK" swift-server --filter "$timed"
swift_kind "Swift: core" swift-core --skip "$timed"

say "allocations of a span"
started=$SECONDS status=0
{ SKEIN_SDK=recording swift build -c release --scratch-path .build-recording --product SkeinRecordingBenchmarks \
    && .build-recording/release/SkeinRecordingBenchmarks check; } >"$logs/allocations" 2>&1 || status=$?
sed -n '/allocations a span/,$p' "$logs/allocations"
spans="$(grep -cE ' ns .* allocations' "$logs/allocations" || true)"
kind "Allocations (ways of a span)" "$spans" "$(told "$(grep -c 'MORE THAN' "$logs/allocations" || true)" "$status")" 0 \
    "$((SECONDS - started))"

say "the store's simulation"
started=$SECONDS status=0
SEEDS=3000 scripts/simulate.sh 2>&1 | tee "$logs/simulation" | grep -E '^(seed|[0-9]+ seeds from)|error:' || status=$?
seeds="$(last_number "$logs/simulation" '^([0-9]+) seeds from')"
kind "Simulation (seeds)" "$seeds" "$([ "$seeds" -gt 0 ] && echo 0 || echo 1)" 0 "$((SECONDS - started))"

say "the decoders under libFuzzer"
started=$SECONDS status=0
FUZZ_SECONDS=2 FUZZ_SEED=1 scripts/fuzz.sh 2>&1 | tee "$logs/fuzz" | grep -E '^[0-9]+ targets|FAILED|skipped:|[Ee]rror:|Test unit' || status=$?
kind "Fuzzing (targets)" "$(last_number "$logs/fuzz" '^([0-9]+) targets fuzzed')" \
    "$(told "$(last_number "$logs/fuzz" '^[0-9]+ targets fuzzed, ([0-9]+) failed')" "$status")" \
    "$(last_number "$logs/fuzz" '^[0-9]+ targets fuzzed, [0-9]+ failed, ([0-9]+) skipped')" "$((SECONDS - started))"

web_tests="$(find web -name '*.test.js' -o -name '*.test.mjs' 2>/dev/null | grep -v node_modules || true)"
if [ -n "$web_tests" ]; then
    say "modules of the page"
    started=$SECONDS status=0
    # shellcheck disable=SC2086
    node --test --test-reporter=tap $web_tests >"$logs/web" 2>&1 || status=$?
    [ "$status" -eq 0 ] || cat "$logs/web"
    kind "Page modules (Node)" "$(last_number "$logs/web" '^# pass ([0-9]+)')" \
        "$(told "$(last_number "$logs/web" '^# fail ([0-9]+)')" "$status")" \
        "$(last_number "$logs/web" '^# skipped ([0-9]+)')" "$((SECONDS - started))"
fi

say "programs, faults and the page against the real binary"
started=$SECONDS status=0
SKEIN_BINARY="$(swift build --show-bin-path)/skein" SKEIN_JAEGER_PYTHON="$root/.venv-test-jaeger/bin/python" \
    SKEIN_ZIPKIN_PYTHON="$root/.venv-test-zipkin/bin/python" SKEIN_AGENTS_PYTHON="$root/.venv-test-agents/bin/python" \
    .venv-test/bin/python -m pytest Tests/Integration 2>&1 | tee "$logs/integration" || status=$?
closing="$(grep -E '^[0-9]+ (passed|failed|skipped|error).* in [0-9.]+s' "$logs/integration" | tail -n 1 || true)"
# told_by_pytest WORD: the number before this word in its closing line.
told_by_pytest() { grep -oE "[0-9]+ $1" <<<"$closing" | grep -oE '^[0-9]+' || echo 0; }
failures="$(($(told_by_pytest failed) + $(told_by_pytest error)))"
kind "Integration (pytest)" "$(told_by_pytest passed)" "$(told "$failures" "$status")" "$(told_by_pytest skipped)" \
    "$((SECONDS - started))"

printf '\nbuilt in %d s\n%s\n' "$built" "$summary"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
