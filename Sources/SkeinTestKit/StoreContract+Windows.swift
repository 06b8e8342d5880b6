// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension StoreContract {
    /// Traces read in windows, and spans of a trace by their ids.
    static let windows: [Case] = [
        Case("there is no reader of a trace that is not stored") { store in
            try await expect(store.traceReader(TraceID(high: 0, low: 1)) == nil, "a reader of an empty store")
            try await append([span(2, 1)], to: store)
            try await expect(store.traceReader(TraceID(high: 0, low: 1)) == nil, "a reader of another trace")
        },

        Case("windows that follow each other are the trace, each span once") { store in
            let spans = (0..<40).map { span(1, 50 - $0, parent: 49 - $0, at: 2_000 - ($0 * 7) % 100) }
            try await append(
                Array(spans[..<11]) + [span(2, 1)],
                Array(spans[11..<12]),
                Array(spans[12...]),
                // Copies: the same again, one that ends earlier, one that starts and ends later.
                [spans[3], span(1, 45, parent: 44, at: 1_900, for: 1), span(1, 46, at: 2_500, name: "finished")],
                [span(1, 47, at: 100, for: 5_000, name: "early")],
                to: store
            )
            let id = TraceID(high: 0, low: 1)
            let whole = try await store.trace(id)
            try expectEqual(whole?.count, 40, "spans of the trace")
            for limit in [1, 2, 3, 7, 39, 40, 41, 10_000] {
                try await expectEqual(windows(of: id, limit: limit, in: store), whole?.spans, "windows of \(limit)")
            }
        },

        Case("a window may end between spans that start together, or share an id") { store in
            let kinds: [Span.Kind] = [.client, .server, .consumer]
            let spans = (1...4).flatMap { id in kinds.map { span(1, id, at: id < 3 ? 10 : 20, kind: $0) } }
            for part in [spans.shuffled(), spans.shuffled()] { try await append(part, to: store) }
            for limit in 1...13 {
                let found = try await windows(of: TraceID(high: 0, low: 1), limit: limit, in: store)
                try expectEqual(found, ordered(spans), "windows of \(limit)")
            }
        },

        Case("a window begins after any place, be there a span or not") { store in
            try await append(
                [span(1, 2, at: 10), span(1, 4, at: 10)],
                [span(1, 3, at: 10), span(1, 5, at: 30)],
                to: store
            )
            let reader = try await store.traceReader(TraceID(high: 0, low: 1))
            func ids(after start: UInt64, _ id: UInt64, _ kind: Span.Kind) async throws -> [UInt64]? {
                let cursor = SpanCursor(startUnixNanos: start, spanID: SpanID(id), kind: kind)
                return try await reader?.window(SpanWindow(after: cursor, limit: 9)).spans.spans.map(\.spanID.rawValue)
            }
            try await expectEqual(ids(after: 0, 0, .unspecified), [2, 3, 4, 5], "spans after the beginning")
            try await expectEqual(ids(after: 10, 3, .unspecified), [3, 4, 5], "spans after a kind before")
            try await expectEqual(ids(after: 10, 3, .internal), [4, 5], "spans after a span")
            try await expectEqual(ids(after: 20, 0, .internal), [5], "spans after a gap")
            try await expectEqual(ids(after: .max, .max, .consumer), [], "spans after the end")
        },

        Case("a window says how many spans, events and links there are, whatever columns it has") { store in
            var rich = span(1, 1, at: 5, attributes: [Attribute("user", "ann")])
            rich.events = [.init(timeUnixNanos: 1, name: "a"), .init(timeUnixNanos: 2, name: "b")]
            rich.links = [.init(traceID: .zero, spanID: .zero)]
            rich.weight = 4
            rich.status = .init(.error, message: "bad")
            try await append([rich, span(1, 2, at: 6)], [span(1, 3, at: 7, name: "third"), rich], to: store)
            let reader = try await store.traceReader(TraceID(high: 0, low: 1))
            for columns in [SpanColumns.fixed, .all, .events] {
                let page = try await reader?.window(SpanWindow(limit: 2, columns: columns))
                try expectEqual(page?.eventCounts, [2, 0], "events")
                try expectEqual(page?.linkCounts, [1, 0], "links")
                try expectEqual(page?.traceSpanCount, 3, "spans of the trace")
                try expectEqual(page?.spans.receivedUnixNanos, 2, "when it was received")
                let spans = page?.spans.spans ?? []
                try expectEqual(spans.map(\.name), ["work", "work"], "names")
                try expectEqual(
                    page.map { [$0.spans.serviceName(at: 0), $0.spans.serviceName(at: 1)] },
                    ["shop", "shop"],
                    "services"
                )
                try expectEqual(spans.map(\.weight), [4, 1], "weights")
                try expectEqual(spans.map(\.status.code), [.error, .unset], "status codes")
                try expectEqual(spans.map(\.startUnixNanos), [5, 6], "starts")
                if columns == .all { try expectEqual(spans.first, rich, "the first span") }
                if columns == .events { try expectEqual(spans.first?.events, rich.events, "events of the first span") }
            }
            try await expect(store.traceReader(TraceID(high: 0, low: 1))?.storedSpanCount ?? 0 >= 3, "stored spans")
        },

        Case("a window has bounds") { store in
            try await append([span(1, 1)], to: store)
            let reader = try await store.traceReader(TraceID(high: 0, low: 1))
            for limit in [0, -1, 10_001] {
                do {
                    _ = try await reader?.window(SpanWindow(limit: limit))
                    throw Violation(description: "a window of \(limit) spans was read")
                } catch let error as StoreError {
                    try expectEqual(error.code, .limit, "the error's code")
                }
            }
        },

        Case("a reader shows the trace as it was when it was asked for") { store in
            try await append([span(1, 1, at: 10), span(1, 2, at: 20)], to: store)
            let reader = try await store.traceReader(TraceID(high: 0, low: 1))
            let first = try await reader?.window(SpanWindow(limit: 1))
            try await append([span(1, 3, at: 15), span(1, 2, at: 20, for: 99, name: "later")], to: store)
            let second = try await reader?.window(SpanWindow(after: first?.next, limit: 9))
            try expectEqual(second?.spans.spans, [span(1, 2, at: 20)], "the second window")
            try expectEqual(second?.traceSpanCount, 2, "spans of the trace")
            try await expectEqual(reader?.spans([SpanID(3)]).count, 0, "spans that came later")
            try await expectEqual(
                store.traceReader(TraceID(high: 0, low: 1))?.spans([SpanID(3)]).count,
                1,
                "asked anew"
            )
        },

        Case("spans of a trace come by their ids, the copies that count, in the order of the trace") { store in
            let both = [span(1, 2, at: 30, kind: .client), span(1, 2, at: 31, kind: .server)]
            try await append(
                [span(1, 1, at: 50), span(1, 3, at: 10, for: 5, name: "live"), both[0]],
                [both[1], span(1, 3, at: 12, for: 50, name: "finished"), span(2, 4)],
                [span(1, 3, at: 12, for: 20, name: "late"), span(1, 5, at: 40)],
                to: store
            )
            let reader = try await store.traceReader(TraceID(high: 0, low: 1))
            let found = try await reader?.spans([SpanID(1), SpanID(2), SpanID(3), SpanID(4)])
            let wanted = [span(1, 3, at: 12, for: 50, name: "finished")] + both + [span(1, 1, at: 50)]
            try expectEqual(found?.spans, wanted, "spans by id")
            try expectEqual(found?.receivedUnixNanos, 3, "when the trace was received")
            try await expectEqual(reader?.spans([SpanID(9)]).count, 0, "spans of an unknown id")
            try await expectEqual(reader?.spans([]).count, 0, "spans of no id")
        },

        Case("a cancelled window says so") { store in
            try await append([span(1, 1)], to: store)
            guard let reader = try await store.traceReader(TraceID(high: 0, low: 1)) else {
                throw Violation(description: "there is no reader")
            }
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                _ = try await reader.window(SpanWindow())
            }
            task.cancel()
            switch await task.result {
            case .success: throw Violation(description: "a cancelled read returned")
            case .failure(let error): try expectEqual((error as? StoreError)?.code, .cancelled, "the error's code")
            }
        },
    ]

    /// The spans of a trace, read in windows of at most `limit`.
    static func windows(of id: TraceID, limit: Int, in store: any SpanStore) async throws -> [Span] {
        guard let reader = try await store.traceReader(id) else {
            throw Violation(description: "there is no reader of trace \(id)")
        }
        var spans: [Span] = []
        var cursor: SpanCursor?
        while true {
            let page = try await reader.window(SpanWindow(after: cursor, limit: limit))
            try expect((1...limit).contains(page.spans.count), "a window of \(limit) holds \(page.spans.count) spans")
            try expectEqual(page.spans.receivedUnixNanos, reader.receivedUnixNanos, "when the trace was received")
            let counts = page.spans.spans.map { [UInt32($0.events.count), UInt32($0.links.count)] }
            try expectEqual(zip(page.eventCounts, page.linkCounts).map { [$0, $1] }, counts, "events and links")
            spans += page.spans.spans
            guard let next = page.next else {
                try expectEqual(page.traceSpanCount, spans.count, "spans of the trace")
                return spans
            }
            cursor = next
        }
    }
}
