#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts Skein and the two services of Examples/, orders a few things, prints where their traces are, and ends all with Ctrl-C.
# With ORDERS_ONLY=1 it ends after the orders. Ports: $WEB_PORT (16686), $OTLP_PORT (4318), 8081 and 8082.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/needs.sh"
cd "$root"

need_swift
need_libraries
have curl || install "curl" "curl" "curl, to order something"
say "building Skein and the two services"
export SKEIN_EXAMPLES=1
for product in skein OrderService InventoryService; do
    swift build -c release --traits Hummingbird --product "$product"
done
bin="$(swift build -c release --show-bin-path)"

# Set here: what stands in a command in the background is set in that process alone.
: "${WEB_PORT:=16686}" "${OTLP_PORT:=4318}"
pids=()
folder="$(mktemp -d)"
trap 'kill "${pids[@]}" 2>/dev/null || true; wait || true; rm -rf "$folder"' EXIT
"$bin/skein" serve --data-dir "$folder/data" --listen "web=127.0.0.1:$WEB_PORT" \
    --listen "otlp-http=127.0.0.1:$OTLP_PORT" >"$folder/skein.log" 2>&1 &
pids+=($!)
export OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:$OTLP_PORT" OTEL_BSP_SCHEDULE_DELAY=500
PORT=8082 "$bin/InventoryService" >"$folder/inventory.log" 2>&1 &
pids+=($!)
PORT=8081 "$bin/OrderService" >"$folder/orders.log" 2>&1 &
pids+=($!)

# answers URL: waits until somebody answers there, whatever it is.
answers() {
    for _ in $(seq 100); do
        if curl -s -o /dev/null "$1"; then return; fi
        sleep 0.1
    done
    cat "$folder"/*.log >&2
    die "nobody answers at $1"
}
answers "http://127.0.0.1:$WEB_PORT/"
answers "http://127.0.0.1:8082/"
answers "http://127.0.0.1:8081/"

for item in widget gadget widget unicorn; do
    printf '%s\n' "POST /orders/$item"
    curl -s -i -X POST "http://127.0.0.1:8081/orders/$item" | tr -d '\r' | grep -iE '^(HTTP|traceresponse)|^order' || true
done
sleep 1
say "the orders are at http://127.0.0.1:$WEB_PORT/ (service order-service); logs are in $folder until then"
if [ -n "${ORDERS_ONLY:-}" ]; then exit 0; fi
say "Ctrl-C ends all of it"
wait
