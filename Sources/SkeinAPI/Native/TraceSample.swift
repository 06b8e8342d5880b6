// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// The traces that an analysis over many looks at: the newest that match, one after the other, never two in memory.
struct TraceSample {
    /// Most traces that are looked at.
    static let limitMax = 10_000
    /// Most spans of all traces together: an answer takes seconds, not minutes.
    static let spanCountMax = 2_000_000
    /// Summaries that are in memory at a time.
    private static let pageCount = 500

    private let query: SpanQuery
    /// Most traces that are looked at.
    private let limit: Int

    /// What was looked at.
    struct Outcome {
        /// Traces that went into the answer.
        var inspectedCount = 0
        /// Their spans.
        var spanCount = 0
        /// Traces that were too large to be put together.
        var skippedCount = 0
        /// Traces that match; counted up to ``TraceSample/limitMax``.
        var matchedCount = 0
        /// Whether traces match that were not looked at, all of them older.
        var isCut = false
    }

    /// The sample that `q`, `start`, `end` and `limit` ask for.
    init(_ call: APICall) throws(APIError) {
        query = SpanQuery(
            range: try call.timeRange(),
            predicate: try NativeAPI.plan(call.request.query("q") ?? ""),
            limit: Self.pageCount
        )
        limit = try call.limit(atMost: Self.limitMax, usual: 1000)
    }

    /// Adds every trace to `analysis`, with `columns`, as long as `room` holds a trace and what is learnt.
    func read(
        _ columns: SpanColumns,
        into analysis: inout some TraceAnalysis,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) -> Outcome {
        var outcome = Outcome()
        var query = query
        repeat {
            query.limit = min(Self.pageCount, Self.limitMax - outcome.matchedCount)
            let asked = query
            let page = try await api.ask(call) { store throws(StoreError) in try await store.search(asked) }
            for trace in page.traces {
                // A large trace takes a while between two questions to the store.
                if Task.isCancelled { throw APIError(StoreError(.cancelled, "nobody waits"), requestID: call.requestID()) }
                outcome.matchedCount += 1
                // Those beyond are only counted.
                guard outcome.inspectedCount + outcome.skippedCount < limit, outcome.spanCount < Self.spanCountMax
                else {
                    outcome.isCut = true
                    continue
                }
                if let batch = try await batch(trace.traceID, columns, analysis.byteCount, api, call, room: &room) {
                    outcome.inspectedCount += 1
                    outcome.spanCount += batch.count
                    analysis.add(batch)
                } else {
                    outcome.skippedCount += 1
                }
            }
            query.cursor = page.next
        } while query.cursor != nil && outcome.matchedCount < Self.limitMax
        outcome.isCut = outcome.isCut || query.cursor != nil
        return outcome
    }

    /// A trace; `nil` when it is too large to be put together, or was removed since it was found.
    private func batch(
        _ id: TraceID,
        _ columns: SpanColumns,
        _ kept: Int,
        _ api: API,
        _ call: APICall,
        room: inout AnswerRoom
    ) async throws(APIError) -> SpanBatch? {
        guard let reader = try await api.reader(of: id, call), reader.storedSpanCount <= api.traceSpanCountMax else {
            return nil
        }
        do throws(APIError) {
            return try await api.gather(
                reader,
                columns: columns,
                beside: NativeAPI.analysisByteCount,
                kept: kept,
                call,
                room: &room
            )
        } catch {
            // One that can never have room is left out; one that has none now is a reason to come again.
            guard error.code == "limit-exceeded" else { throw error }
            return nil
        }
    }
}

extension TraceSample.Outcome {
    /// The member `traces` of an answer.
    func write(to json: inout JSONWriter) {
        json.object("traces") { json in
            json.member("inspected", inspectedCount)
            json.member("spanCount", spanCount)
            json.member("skipped", skippedCount)
            json.member("matched", matchedCount)
            json.member("isCut", isCut)
        }
    }
}
