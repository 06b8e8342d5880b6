// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

extension StoreContract {
    /// Appending, traces by id, scans.
    static let keeping: [Case] = [
        Case("an empty store answers every question with nothing") { store in
            try await expect(store.trace(TraceID(high: 1, low: 1)) == nil, "an unknown trace is nil")
            try await expectEqual(store.search(SpanQuery()).traces, [], "search")
            try await expectEqual(store.services(), NameList(), "services")
            try await expectEqual(store.operations(ofService: "shop"), NameList(), "operations")
            try await expectEqual(store.attributeKeys(prefix: "", limit: 10), NameList(), "keys")
            try await expectEqual(store.values(of: .name, prefix: "", limit: 10), ValueList(), "values")
            try await store.scan(.all, columns: .all) { _ throws(StoreError) in
                throw StoreError(.corrupt, "visited a trace of an empty store")
            }
            let status = await store.status()
            try expectEqual(status.spanCount, 0, "span count")
            try expect(status.oldestUnixNanos == nil && status.newestUnixNanos == nil, "no oldest or newest span")
        },

        Case("an empty batch changes nothing") { store in
            try await store.append(SpanBatch())
            try await expectEqual(store.status().spanCount, 0, "span count")
        },

        Case("every field of a span comes back") { store in
            var nasty = NastySpans(seed: 7, traceCount: 3)
            let spans = SpanBatch(spans: unique(nasty.spans(60))).spans
            try await append(spans, to: store)
            for (id, trace) in Dictionary(grouping: spans, by: \.traceID) {
                try await expectEqual(store.trace(id)?.spans, ordered(trace), "trace \(id)")
            }
        },

        Case("a trace that comes in pieces, children first, is one trace") { store in
            let spans = (0..<50).map { span(1, 50 - $0, parent: 49 - $0, at: 2_000 - $0) }
            for span in spans { try await append([span], to: store) }
            try await expectEqual(store.trace(TraceID(high: 0, low: 1))?.spans, ordered(spans), "the trace")
            let page = try await store.search(SpanQuery())
            try expectEqual(page.traces.count, 1, "traces found")
            try expectEqual(page.traces.first?.spanCount, 50, "spans of the summary")
        },

        Case("of copies of a span the one that ends later is it") { store in
            try await append(
                [span(1, 1, for: 10, name: "live")],
                [span(1, 1, for: 50, name: "finished"), span(1, 2)],
                [span(1, 1, for: 20, name: "late")],
                to: store
            )
            let names = try await store.trace(TraceID(high: 0, low: 1))?.spans.map(\.name)
            try expectEqual(names, ["finished", "work"], "names in the trace")
            let page = try await store.search(SpanQuery(predicate: .compare(.name, .equal, .string("live"))))
            try expectEqual(page.traces, [], "a superseded copy is not found")
            let summary = try await store.search(SpanQuery()).traces.first
            try expectEqual(summary?.spanCount, 2, "spans of the summary")
            try expectEqual(summary?.matchedSpanCount, 2, "matched spans")
            try expectEqual(summary?.durationNanos, 50, "duration")
        },

        Case("of copies that end together the one that starts later is it") { store in
            try await append(
                [span(1, 1, at: 15, for: 5, name: "short")],
                [span(1, 1, at: 10, for: 10, name: "long")],
                to: store
            )
            let names = try await store.trace(TraceID(high: 0, low: 1))?.spans.map(\.name)
            try expectEqual(names, ["short"], "names in the trace")
            try await append(
                [span(2, 1, at: 15, for: 5, name: "short"), span(2, 1, at: 10, for: 10, name: "long")],
                to: store
            )
            let same = try await store.trace(TraceID(high: 0, low: 2))?.spans.map(\.name)
            try expectEqual(same, ["short"], "names in the trace that came in one batch")
        },

        Case("of copies that start and end together the one that came later is it") { store in
            try await append([span(1, 1, name: "first")], [span(1, 1, name: "second")], to: store)
            let names = try await store.trace(TraceID(high: 0, low: 1))?.spans.map(\.name)
            try expectEqual(names, ["second"], "names in the trace")
            try await append([span(2, 1, name: "first"), span(2, 1, name: "second")], to: store)
            let same = try await store.trace(TraceID(high: 0, low: 2))?.spans.map(\.name)
            try expectEqual(same, ["second"], "names in the trace that came in one batch")
        },

        Case("a batch sent three times is stored once") { store in
            let spans = [span(1, 1), span(1, 2, parent: 1), span(2, 3)]
            try await append(spans, spans, spans, to: store)
            try await expectEqual(store.trace(TraceID(high: 0, low: 1))?.count, 2, "spans of the trace")
            let summaries = try await pages(SpanQuery(limit: 1), of: store)
            try expectEqual(summaries.map(\.spanCount).sorted(), [1, 2], "spans of the summaries")
        },

        Case("a copy is dropped though a span of another kind shares its id") { store in
            try await append(
                [span(1, 1, at: 5, kind: .server), span(1, 1, at: 6, kind: .client), span(1, 1, at: 7, kind: .client)],
                to: store
            )
            try await expectEqual(store.trace(TraceID(high: 0, low: 1))?.count, 2, "spans of the trace")
            try await expectEqual(store.search(SpanQuery()).traces.map(\.spanCount), [2], "spans of the summary")
        },

        Case("a kind that no specification names is unspecified") { store in
            var builder = SpanBatchBuilder()
            let resource = builder.addResource(serviceName: builder.intern("shop"))
            let scope = builder.addScope(name: 0)
            for kind in [0, 9, 200] as [UInt8] {
                var fields = SpanBatchBuilder.SpanFields()
                fields.traceID = TraceID(high: 0, low: 1)
                fields.spanID = SpanID(1)
                fields.startUnixNanos = 100
                fields.endUnixNanos = 200
                fields.kind = kind
                fields.resource = resource
                fields.scope = scope
                fields.name = builder.intern("kind \(kind)")
                builder.addSpan(fields)
            }
            try await store.append(builder.finish(receivedUnixNanos: 1))
            let spans = try await store.trace(TraceID(high: 0, low: 1))?.spans
            try expectEqual(spans?.map(\.name), ["kind 200"], "names in the trace")
            try expectEqual(spans?.map(\.kind), [.unspecified], "kinds in the trace")
        },

        Case("client and server may share a span id") { store in
            try await append([span(1, 1, kind: .client), span(1, 1, kind: .server)], to: store)
            try await expectEqual(store.trace(TraceID(high: 0, low: 1))?.count, 2, "spans of the trace")
        },

        Case("a scan visits each trace of the range once and whole") { store in
            let inside = [span(1, 1, at: 100), span(1, 2, at: 900)]
            try await append([inside[0], span(2, 3, at: 900)], [inside[1], span(3, 4, at: 150)], to: store)
            let visited = Mutex<[TraceID: [Span]]>([:])
            try await store.scan(TimeRange(start: 100, end: 151), columns: .all) { batch throws(StoreError) in
                let repeated = visited.withLock { visited in
                    let traces = Dictionary(grouping: batch.spans, by: \.traceID)
                    let isRepeated = traces.keys.contains { visited[$0] != nil }
                    visited.merge(traces) { old, new in old + new }
                    return isRepeated
                }
                if repeated { throw StoreError(.corrupt, "a trace was visited twice") }
            }
            let found = visited.withLock { $0 }
            try expectEqual(found.keys.map(\.low).sorted(), [1, 3], "traces visited")
            try expectEqual(found[TraceID(high: 0, low: 1)].map(ordered), inside, "spans of a trace partly in range")
        },

        Case("an error of a scan's visitor ends the scan") { store in
            try await append([span(1, 1), span(2, 2)], to: store)
            do {
                try await store.scan(.all, columns: .all) { _ throws(StoreError) in throw StoreError(.limit, "enough") }
                throw Violation(description: "the scan ended without the error")
            } catch let error as StoreError {
                try expectEqual(error.code, .limit, "the error's code")
            }
        },

        Case("a cancelled read says so") { store in
            try await append((1...20).map { span($0, 1) }, to: store)
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                _ = try await store.search(SpanQuery())
            }
            task.cancel()
            switch await task.result {
            case .success: throw Violation(description: "a cancelled search returned")
            case .failure(let error): try expectEqual((error as? StoreError)?.code, .cancelled, "the error's code")
            }
        },
    ]

    /// The order of a trace by the contract.
    static func ordered(_ spans: [Span]) -> [Span] {
        spans.sorted {
            ($0.startUnixNanos, $0.spanID, $0.kind.rawValue) < ($1.startUnixNanos, $1.spanID, $1.kind.rawValue)
        }
    }

    /// The spans without copies.
    static func unique(_ spans: [Span]) -> [Span] {
        var seen: Set<[UInt64]> = []
        return spans.filter {
            seen.insert([$0.traceID.high, $0.traceID.low, $0.spanID.rawValue, UInt64($0.kind.rawValue)]).inserted
        }
    }
}
