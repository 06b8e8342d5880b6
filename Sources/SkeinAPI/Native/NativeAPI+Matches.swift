// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinTraceQL
import SkeinWire

extension NativeAPI {
    /// Which spans of a trace match, by row of its skeleton.
    static func matches(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let question = try MatchQuestion(call)
        let id = try call.traceID()
        let reader = try await reader(of: id, api, call)
        var room = AnswerRoom(api.answers, remedy: "ask for less of it")
        let found: Matches
        switch question {
        case .text(let text):
            found = try await matches(reader, id, columns: .all, api, call, &room) { spans throws(StoreError) in
                text.matches(in: spans)
            }
        case .query(let selected) where selected.needsWholeTraces:
            let batch = try await api.gather(
                reader,
                columns: selected.columns,
                beside: analysisByteCount,
                call,
                room: &room
            )
            let isMatch = try await api.ask(call) { _ throws(StoreError) in
                try selected.matches(in: batch, isTrace: true)
            }
            found = Matches(batch: batch, isMatch: isMatch)
        case .query(let selected):
            found = try await matches(reader, id, columns: selected.columns, api, call, &room) {
                spans throws(StoreError) in try selected.matches(in: spans, isTrace: false)
            }
        }
        var response = found.response(of: id)
        response.memory = room.memory
        return response
    }

    /// What is asked of the spans of a trace.
    private enum MatchQuestion {
        case query(SelectedSpans)
        case text(SpanTextSearch)

        init(_ call: APICall) throws(APIError) {
            let (query, text) = (call.request.query("q") ?? "", call.request.query("text") ?? "")
            guard query.isEmpty != text.isEmpty else {
                throw .invalid(
                    query.isEmpty ? "q" : "text",
                    "\(query.isEmpty ? "Neither" : "Each") of q and text says what to look for: give q, a query, or text, a text that is "
                        + "somewhere in a span, and not both."
                )
            }
            if text.isEmpty {
                self = .query(SelectedSpans(try NativeAPI.selection(query)))
                return
            }
            guard text.utf8.count <= SpanTextSearch.byteCountMax else {
                throw .invalid(
                    "text",
                    "text has \(text.utf8.count) bytes, at most \(SpanTextSearch.byteCountMax) are looked for."
                )
            }
            self = .text(SpanTextSearch(text))
        }
    }

    /// The spans of a trace, in its order, and which of them match.
    private struct Matches {
        var batch: SpanBatch
        var isMatch: [Bool]

        func response(of id: TraceID) -> APIResponse {
            let tree = TraceTree(batch)
            var bits = [UInt8](repeating: 0, count: (tree.count + 7) / 8)
            var count = 0
            for row in 0..<tree.count where isMatch[Int(tree.batchRows[row])] {
                bits[row >> 3] |= 1 << UInt8(row & 7)
                count += 1
            }
            return .json(capacity: 256 + bits.count * 4 / 3) { json in
                json.object { json in
                    json.member("traceId", id)
                    json.member("matchedSpans", count)
                    json.member("spanCount", tree.count)
                    json.key("rows")
                    bits.withUnsafeBytes { json.base64($0) }
                }
            }
        }
    }

    /// Asks `test` of the spans of a trace, window by window, of which no more is kept than what makes the rows of a skeleton.
    private static func matches(
        _ reader: any TraceReader,
        _ id: TraceID,
        columns: SpanColumns,
        _ api: API,
        _ call: APICall,
        _ room: inout AnswerRoom,
        _ test: (SpanBatch) throws(StoreError) -> [Bool]
    ) async throws(APIError) -> Matches {
        try hold(&room, forSkeletonOf: reader, id)
        var builder = SpanBatchBuilder()
        var isMatch: [Bool] = []
        isMatch.reserveCapacity(reader.storedSpanCount)
        try await api.forEachWindow(of: reader, columns: columns, call) { page throws(APIError) in
            do throws(StoreError) {
                isMatch += try test(page.spans)
            } catch {
                throw APIError(error, requestID: call.requestID())
            }
            let spans = page.spans.narrowed(to: .fixed)
            var merger = SpanBatchMerger(from: spans)
            for row in 0..<spans.count { merger.append(row, to: &builder) }
        }
        return Matches(batch: builder.finish(receivedUnixNanos: reader.receivedUnixNanos), isMatch: isMatch)
    }
}

extension SelectedSpans {
    /// For each span of `batch`, which is a whole trace in its order or any part of one, whether it is left.
    fileprivate func matches(in batch: SpanBatch, isTrace: Bool) throws(StoreError) -> [Bool] {
        let table = isTrace ? BatchTable(trace: batch) : BatchTable(spans: batch)
        let rows = try rows(try table.rows(matching: CompiledPredicate(predicate)), of: table)
        return (0..<batch.count).map { rows[$0] }
    }
}
