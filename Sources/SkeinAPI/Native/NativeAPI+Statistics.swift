// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// Sums over time: what a service did, and who called whom.
extension NativeAPI {
    /// Slices of one answer.
    private static let sliceCountMax: UInt64 = 11_000

    /// Rate, errors and durations of a service's spans, in all and by operation.
    static func statistics(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let service = call.pathValues[0]
        let range = try call.timeRange()
        let step = try step(call, range)
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: step) }
        return .json(capacity: 512 + slices.count * 1024) { json in
            json.object { json in
                json.member("service", service)
                write(range, slices, to: &json)
                json.array("slices") { json in
                    for slice in slices {
                        let operations = slice.operations.filter { $0.service?.isExactly(service) ?? false }
                        guard !operations.isEmpty else { continue }
                        json.object { json in
                            json.member("startTimeUnixNano", decimal: slice.startUnixNanos)
                            json.member("endTimeUnixNano", decimal: slice.endUnixNanos)
                            write(operations, of: slice, to: &json)
                        }
                    }
                }
                json.key("next")
                json.null()
            }
        }
    }

    /// The calls between services, and from services to what sends no spans.
    static func serviceGraph(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let range = try call.timeRange()
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        let edges = slices.flatMap(\.edges)
        return .json(capacity: 256 + edges.count * 256) { json in
            json.object { json in
                write(range, slices, to: &json)
                json.array("edges") { json in
                    for edge in edges {
                        // The receiving end knows best how long it took; where there is none, the caller does.
                        let isSeen = edge.serverDurations.count > 0
                        json.object { json in
                            json.member("client", edge.client)
                            json.member("server", edge.server)
                            json.member("connectionType", edge.connectionType.name)
                            json.member("callCount", edge.callCount)
                            json.member("errorCount", edge.errorCount)
                            write(isSeen ? edge.serverDurations : edge.clientDurations, to: &json)
                        }
                    }
                }
                json.key("next")
                json.null()
            }
        }
    }

    /// The length of a slice: nanoseconds, or a number with a unit as in `5m`; `nil` when absent.
    private static func step(_ call: APICall, _ range: TimeRange) throws(APIError) -> UInt64? {
        guard let nanos = try call.nanos("step") else { return nil }
        guard range.end != .max else {
            throw .invalid("end", "end is missing: with a step the range must end.")
        }
        let minutes = max(1, nanos / RollupGrid.minuteNanos)
        let slices = (range.end - range.start) / RollupGrid.minuteNanos / minutes
        guard slices <= sliceCountMax else {
            throw .invalid(
                "step",
                "step \(nanos) ns cuts the range into \(slices) slices; the limit is \(sliceCountMax): take a longer step."
            )
        }
        return nanos
    }

    /// The range that the answer speaks of: whole minutes, or as far as its slices reach, which may be of an hour.
    private static func write(_ range: TimeRange, _ slices: [RollupSlice], to json: inout JSONWriter) {
        let whole = RollupGrid(range, stepNanos: nil).whole
        let start = min(whole.startUnixNanos, slices.first?.startUnixNanos ?? .max)
        json.member("startTimeUnixNano", decimal: start)
        json.member("endTimeUnixNano", decimal: max(whole.endUnixNanos, slices.last?.endUnixNanos ?? 0))
    }

    /// `total`, then `operations`: each the statuses together.
    private static func write(_ operations: [OperationRollup], of slice: RollupSlice, to json: inout JSONWriter) {
        var total = Figures()
        for operation in operations { total.add(operation) }
        json.object("total") { json in total.write(slice, to: &json) }
        json.array("operations") { json in
            var first = 0
            while first < operations.count {
                // Statuses of an operation follow each other.
                var figures = Figures()
                var end = first
                while end < operations.count, operations[end].kind == operations[first].kind,
                    operations[end].operation.map({ ExactText($0) })
                        == operations[first].operation.map({ ExactText($0) })
                {
                    figures.add(operations[end])
                    end += 1
                }
                json.object { json in
                    json.member("name", operations[first].operation)
                    json.member("kind", "\(operations[first].kind)")
                    figures.write(slice, to: &json)
                }
                first = end
            }
        }
    }

    private struct Figures {
        private var durations = DurationDistribution()
        private var errorCount = 0.0

        mutating func add(_ operation: OperationRollup) {
            durations.add(operation.durations)
            if operation.status == .error { errorCount += operation.durations.count }
        }

        func write(_ slice: RollupSlice, to json: inout JSONWriter) {
            json.member("spanCount", durations.count)
            json.member("errorCount", errorCount)
            // Without an end, or since 1970, a rate would say nothing.
            if slice.startUnixNanos > 0, slice.endUnixNanos != .max {
                let seconds = Double(slice.endUnixNanos - slice.startUnixNanos) / 1e9
                json.member("spansPerSecond", durations.count / seconds)
            } else {
                json.key("spansPerSecond")
                json.null()
            }
            NativeAPI.write(durations, to: &json)
        }
    }

    private static func write(_ durations: DurationDistribution, to json: inout JSONWriter) {
        json.member("sumNanos", decimal: nanos(durations.sumNanos))
        json.member("p50Nanos", decimal: durations.quantileNanos(0.5).map(nanos))
        json.member("p95Nanos", decimal: durations.quantileNanos(0.95).map(nanos))
        json.member("p99Nanos", decimal: durations.quantileNanos(0.99).map(nanos))
        json.member("exemplar", durations.exemplar?.traceID.description)
    }

    static func nanos(_ value: Double) -> UInt64 { UInt64(exactly: value.rounded()) ?? (value > 0 ? .max : 0) }
}
