// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTraceQL
import SkeinWire

/// What spans add up to: series over time, and how slow things are and when.
extension NativeAPI {
    /// The series of a query such as `{ } | rate() by(resource.service.name)`.
    static func metrics(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let query = try query(call.request.query("q") ?? "")
        let grid = try grid(call, api)
        let exemplarCountMax = try call.number("exemplars", 0...1_000, usual: 0)
        let seriesCountMax = try call.limit(atMost: 10_000, usual: 1_000)
        let request = SeriesRequest(
            query,
            grid: grid,
            exemplarCountMax: exemplarCountMax,
            seriesCountMax: seriesCountMax
        )
        let answer = try await api.ask(call) { store throws(StoreError) in try await store.series(request) }
        guard let answer else {
            throw .invalid(
                "q",
                "The query finds spans and counts none: end it with a function, as in | rate() or | count_over_time()."
            )
        }
        return .json(capacity: 512 + answer.series.count * (128 + 12 * grid.count)) { json in
            json.object { json in
                write(grid, to: &json)
                json.array("series") { json in
                    for series in answer.series { write(series, to: &json) }
                }
                json.member("seriesCount", answer.seriesCount)
                json.member("truncated", answer.isCut)
                json.object("inspected") { json in json.member("spans", answer.inspectedSpanCount) }
            }
        }
    }

    /// Spans by time and duration.
    static func heatmap(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let query = try selection(call.request.query("q") ?? "")
        let grid = try grid(call, api)
        let heatmap = try await api.ask(call) { store throws(StoreError) in try await store.heatmap(query, grid) }
        let bands = Set(heatmap.cells.map(\.band)).sorted()
        let places = Dictionary(uniqueKeysWithValues: zip(bands, 0...))
        return .json(capacity: 512 + heatmap.cells.count * 24) { json in
            json.object { json in
                write(grid, to: &json)
                json.array("durationFloorsNanos") { json in
                    for band in bands { json.decimal(DurationHeatmap.floor(of: band)) }
                }
                json.array("cells") { json in
                    for cell in heatmap.cells {
                        json.array { json in
                            json.int(cell.moment)
                            json.int(places[cell.band] ?? 0)
                            json.double(cell.count)
                            json.double(cell.errorCount)
                        }
                    }
                }
            }
        }
    }

    /// Most fields that a call may choose.
    private static let chosenFieldCountMax = 50

    /// The fields that a call chooses, in its order; `nil` when it leaves that to the server.
    private static func chosenFields(_ call: APICall) throws(APIError) -> [Field]? {
        guard let text = call.request.query("keys"), !text.isEmpty else { return nil }
        guard call.request.query("fields") == nil else {
            throw .invalid("keys", "keys names the fields that are wanted: leave out fields, or keys.")
        }
        let fields: [Field]
        do throws(QueryError) {
            fields = try TraceQL.fields(text)
        } catch {
            throw problem(error, "keys")
        }
        guard fields.count <= chosenFieldCountMax else {
            throw .invalid(
                "keys",
                "keys names \(fields.count) fields, at most \(chosenFieldCountMax) are counted at once."
            )
        }
        return fields
    }

    /// What values the attributes of matching spans have.
    static func facets(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let chosen = try chosenFields(call)
        let (fields, values) = (try call.number("fields", 1...200, usual: 50), try call.limit(atMost: 100, usual: 10))
        let query = try selection(call.request.query("q") ?? "")
        let range = try call.timeRange()
        let found = try await api.ask(call) { store throws(StoreError) in
            try await store.differences(
                query,
                selection: nil,
                range: range,
                fields: chosen,
                fieldCountMax: fields,
                valueCountMax: values
            )
        }
        return .json(capacity: 512 + found.fields.count * 512) { json in
            json.object { json in
                json.member("spanCount", found.selectionCount)
                json.array("facets") { json in
                    for field in found.fields {
                        json.object { json in
                            json.member("name", field.field.text)
                            json.key("share")
                            json.double(field.difference)
                            json.member("truncated", field.isCut)
                            json.array("values") { json in
                                for value in field.values {
                                    json.object { json in
                                        write(value.value, to: &json)
                                        json.member("count", value.selectionCount)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// How the spans of a selection differ from the other spans of a query.
    static func differences(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (fields, values) = (try call.number("fields", 1...200, usual: 20), try call.limit(atMost: 100, usual: 10))
        let query = try selection(call.request.query("q") ?? "")
        guard let text = call.request.query("selection"), !text.isEmpty else {
            throw .invalid("selection", "selection is missing: state which spans to explain, as in duration > 500ms.")
        }
        let picked = try selection(text, field: "selection")
        let range = try call.timeRange()
        let found = try await api.ask(call) { store throws(StoreError) in
            try await store.differences(
                query,
                selection: picked,
                range: range,
                fieldCountMax: fields,
                valueCountMax: values
            )
        }
        return .json(capacity: 512 + found.fields.count * 512) { json in
            json.object { json in
                json.member("selectionCount", found.selectionCount)
                json.member("restCount", found.restCount)
                json.array("attributes") { json in
                    for field in found.fields {
                        json.object { json in
                            json.member("name", field.field.text)
                            json.key("difference")
                            json.double(field.difference)
                            json.member("truncated", field.isCut)
                            json.array("values") { json in
                                for value in field.values {
                                    json.object { json in
                                        write(value.value, to: &json)
                                        json.member("selectionCount", value.selectionCount)
                                        json.member("restCount", value.restCount)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    // MARK: Moments

    /// The moments that a call asks for: the last hour without `start` and `end`, some 240 without `step`.
    private static func grid(_ call: APICall, _ api: API) throws(APIError) -> SeriesGrid {
        let end = try call.time("end") ?? api.clock.unixNanos
        let hour: UInt64 = 3_600_000_000_000
        let start = try call.time("start") ?? (end > hour ? end - hour : 0)
        guard start <= end else {
            throw .invalid("end", "end (\(end)) lies before start (\(start)).")
        }
        let step = try call.nanos("step") ?? usualStep(end - start)
        guard let grid = SeriesGrid(start: start, end: end, step: step) else {
            throw .invalid(
                "step",
                "a step of \(step) ns cuts the range into more than \(SeriesGrid.countMax) moments: "
                    + "take \((end - start) / UInt64(SeriesGrid.countMax - 2)) ns or more, or a shorter range."
            )
        }
        return grid
    }

    /// A step that people count in, of which the range has at most `most` or so.
    static func usualStep(_ length: UInt64, most: UInt64 = 250) -> UInt64 {
        let second: UInt64 = 1_000_000_000
        let steps: [UInt64] = [
            1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000, 200_000_000, 500_000_000,
            second, 2 * second, 5 * second, 10 * second, 15 * second, 30 * second, 60 * second, 120 * second,
            300 * second, 600 * second, 900 * second, 1_800 * second, 3_600 * second, 7_200 * second, 10_800 * second,
            21_600 * second, 43_200 * second, 86_400 * second, 172_800 * second, 604_800 * second,
        ]
        return steps.first { length / $0 <= most } ?? length / most
    }

    private static func write(_ grid: SeriesGrid, to json: inout JSONWriter) {
        json.member("startTimeUnixNano", decimal: grid.first)
        json.member("stepNanos", decimal: grid.step)
        json.member("moments", grid.count)
    }

    private static func write(_ series: Series, to json: inout JSONWriter) {
        json.object { json in
            json.array("labels") { json in
                for label in series.labels { write(label.name, label.value, to: &json) }
            }
            json.array("values") { json in
                for value in series.values {
                    if let value, value.isFinite { json.double(value) } else { json.null() }
                }
            }
            json.array("exemplars") { json in
                for exemplar in series.exemplars {
                    json.object { json in
                        json.member("traceId", exemplar.traceID)
                        json.member("spanId", exemplar.spanID)
                        json.member("startTimeUnixNano", decimal: exemplar.startUnixNanos)
                        json.member("value", exemplar.value)
                    }
                }
            }
        }
    }
}

extension APICall {
    /// A length of time: nanoseconds, or a number with a unit as in `5m`; `nil` when absent. At least 1.
    func nanos(_ name: String) throws(APIError) -> UInt64? {
        guard let text = request.query(name), !text.isEmpty else { return nil }
        let nanos: UInt64
        if let number = UInt64(text) {
            nanos = number
        } else {
            do throws(GoDuration.Failure) {
                nanos = UInt64(max(try GoDuration.parse(text), 0))
            } catch {
                throw .invalid(name, "\(Self.shown(text)) is no duration: expected one as in 5m, or nanoseconds.")
            }
        }
        guard nanos > 0 else { throw .invalid(name, "\(name) is \(text); it takes more than nothing.") }
        return nanos
    }
}
