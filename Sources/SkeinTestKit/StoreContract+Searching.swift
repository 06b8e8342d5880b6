// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension StoreContract {
    /// Searches: order, pages, summaries, ranges.
    static let searching: [Case] = [
        Case("results are newest first, ties by ascending trace id") { store in
            try await append(
                [span(5, 1, at: 100), span(3, 1, at: 300), span(4, 1, at: 300), span(1, 1, at: 200)],
                [span(2, 1, at: 300), span(5, 2, at: 900)],
                to: store
            )
            let found = try await store.search(SpanQuery()).traces.map(\.traceID.low)
            try expectEqual(found, [2, 3, 4, 1, 5], "traces in order")
        },

        Case("pages follow each other without gap or repetition") { store in
            let spans = (1...57 as ClosedRange<UInt64>).map { span($0, $0, at: 1_000 + $0 / 5) }
            try await append(Array(spans[..<20]), Array(spans[20...]), to: store)
            let whole = try await store.search(SpanQuery(limit: 100))
            try expectEqual(whole.traces.count, 57, "traces on one page")
            try expect(whole.next == nil, "the only page has no next one")
            for limit in [1, 2, 7, 56, 57] {
                try await expectEqual(pages(SpanQuery(limit: limit), of: store), whole.traces, "pages of \(limit)")
            }
        },

        Case("a cursor goes on though its trace is gone") { store in
            try await append([span(1, 1, at: 100), span(2, 1, at: 200), span(3, 1, at: 300)], to: store)
            let cursor = SearchCursor(startUnixNanos: 250, traceID: TraceID(high: 0, low: 9))
            let found = try await store.search(SpanQuery(cursor: cursor)).traces.map(\.traceID.low)
            try expectEqual(found, [2, 1], "traces after the cursor")
        },

        Case("a page outside 1 to 10,000 traces is refused") { store in
            for limit in [0, -1, 10_001, Int.max] {
                do {
                    _ = try await store.search(SpanQuery(limit: limit))
                    throw Violation(description: "a limit of \(limit) was taken")
                } catch let error as StoreError {
                    try expectEqual(error.code, .limit, "the error's code for \(limit)")
                }
            }
        },

        Case("a summary speaks of the whole trace") { store in
            var failed = span(1, 3, parent: 1, at: 1_500, for: 700, name: "pay", service: "bank")
            failed.status = .init(.error, message: "no")
            try await append(
                [span(1, 2, parent: 1, at: 1_100, name: "look", service: "stock")],
                [failed, span(1, 4, parent: 3, at: 1_600, service: "bank"), span(1, 9, parent: 8, at: 900)],
                [span(1, 1, at: 1_000, for: 900, name: "buy", service: "web")],
                to: store
            )
            let query = SpanQuery(
                range: TimeRange(start: 1_500, end: 1_700),
                predicate: .compare(.serviceName, .equal, .string("bank"))
            )
            let wanted = TraceSummary(
                traceID: TraceID(high: 0, low: 1),
                rootServiceName: "web",
                rootSpanName: "buy",
                startUnixNanos: 900,
                durationNanos: 1_300,
                spanCount: 5,
                errorCount: 1,
                matchedSpanCount: 2,
                services: [
                    .init(name: "bank", spanCount: 2, errorCount: 1), .init(name: "shop", spanCount: 1, errorCount: 0),
                    .init(name: "stock", spanCount: 1, errorCount: 0), .init(name: "web", spanCount: 1, errorCount: 0),
                ]
            )
            try await expectEqual(store.search(query).traces, [wanted], "summary")
        },

        Case("a trace without its root has an empty root name until it comes") { store in
            try await append([span(1, 2, parent: 1, name: "child")], to: store)
            try await expectEqual(store.search(SpanQuery()).traces.map(\.rootSpanName), [""], "root name")
            try await append([span(1, 1, name: "root", service: "web")], to: store)
            let summary = try await store.search(SpanQuery()).traces.first
            try expectEqual(summary?.rootSpanName, "root", "root name")
            try expectEqual(summary?.rootServiceName, "web", "root service")
        },

        Case("the range is about the matching span and half-open") { store in
            try await append([span(1, 1, at: 100), span(1, 2, at: 200), span(2, 3, at: .max, for: 0)], to: store)
            func found(_ start: UInt64, _ end: UInt64) async throws -> [UInt64] {
                try await store.search(SpanQuery(range: TimeRange(start: start, end: end))).traces.map(\.traceID.low)
            }
            try await expectEqual(found(100, 101), [1], "100..<101")
            try await expectEqual(found(101, 200), [], "101..<200")
            try await expectEqual(found(101, 201), [1], "101..<201")
            try await expectEqual(found(201, .max), [2], "201 to the end of time, included")
            try await expectEqual(found(300, 200), [], "an empty range")
            let summary = try await store.search(SpanQuery(range: TimeRange(start: 200, end: 201))).traces.first
            try expectEqual(summary?.matchedSpanCount, 1, "matched spans")
            try expectEqual(summary?.startUnixNanos, 100, "start of the trace")
        },

        Case("the name of an event is asked for as any event's") { store in
            func events(_ names: String...) -> [Span.Event] { names.map { .init(timeUnixNanos: 1, name: $0) } }
            let named = [events("exception", "retry"), events("retry"), events(""), events()]
            let spans = named.enumerated().map { index, events in
                var span = span(UInt64(1 + index), 1)
                span.events = events
                return span
            }
            try await append(Array(spans[..<2]), Array(spans[2...]), to: store)
            func found(_ predicate: SpanPredicate) async throws -> [UInt64] {
                try await store.search(SpanQuery(predicate: predicate)).traces.map(\.traceID.low).sorted()
            }
            let field = SpanField.eventName
            try await expectEqual(found(.compare(field, .equal, .string("exception"))), [1], "equal")
            try await expectEqual(found(.compare(field, .notEqual, .string("exception"))), [1, 2, 3], "not equal")
            try await expectEqual(found(.not(.compare(field, .equal, .string("retry")))), [3, 4], "no event equal")
            try await expectEqual(found(.compare(field, .equal, .string(""))), [3], "empty")
            try await expectEqual(found(.exists(field)), [1, 2, 3], "exists")
            try await expectEqual(found(.not(.exists(field))), [4], "does not exist")
            let names = try await store.values(of: field, prefix: "", limit: 9).values
            let wanted = [("retry", 2), ("", 1), ("exception", 1)].map { ValueCount(value: .string($0), count: $1) }
            try expectEqual(names, wanted, "names")
        },

        Case("what came is found at once, also between older traces") { store in
            for round in 1...30 as ClosedRange<UInt64> {
                try await append([span(round, 1, at: round % 2 == 0 ? 10_000 + round : 5_000 - round)], to: store)
                let found = try await store.search(SpanQuery(limit: 100)).traces
                try expectEqual(found.count, Int(round), "traces after \(round) batches")
                let starts = found.map(\.startUnixNanos)
                try expectEqual(starts, starts.sorted(by: >), "starts in order")
            }
        },

        Case("the status counts spans and knows the oldest and the newest") { store in
            try await append([span(1, 1, at: 500)], [span(1, 2, at: 100), span(2, 3, at: 900)], to: store)
            let status = await store.status()
            try expectEqual(status.spanCount, 3, "span count")
            try expectEqual(status.oldestUnixNanos, 100, "oldest")
            try expectEqual(status.newestUnixNanos, 900, "newest")
        },
    ]
}
