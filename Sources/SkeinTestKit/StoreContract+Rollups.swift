// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension StoreContract {
    /// Sums over time.
    static let rollups: [Case] =
        [
            Case("an empty store has no sums") { store in
                try await expectEqual(store.rollup(.all, step: nil), [], "rollup")
                try await expectEqual(store.rollup(TimeRange(start: 5, end: 5), step: minute), [], "rollup of nothing")
            },

            Case("spans are summed up by operation, kind and status, each by its weight") { store in
                var sampled = span(2, 3, at: 2_000, for: 70)
                sampled.weight = 2.5
                var failed = span(3, 4, at: 3_000, for: 90)
                failed.status = .init(.error)
                try await append([span(1, 1, for: 10), span(1, 2, for: 20, kind: .server), sampled, failed], to: store)
                let slices = try await store.rollup(.all, step: nil)
                try expectEqual(slices.count, 1, "slices")
                let operations = slices[0].operations
                try expectEqual(operations.map(\.kind), [.internal, .internal, .server], "kinds")
                try expectEqual(operations.map(\.status), [.unset, .error, .unset], "statuses")
                try expectEqual(operations.map(\.durations.count), [3.5, 1, 1], "counts")
                try expectEqual(operations.map(\.durations.sumNanos), [185, 90, 20], "sums")
                try expectEqual(operations[0].durations.exemplar?.traceID.low, 2, "trace of the longest span")
            },

            Case("sums are cut at multiples of the step, and grow to whole minutes") { store in
                try await append((0..<10).map { span($0 + 1, 1, at: $0 * minute + 7) }, to: store)
                let range = TimeRange(start: 2 * minute + 30, end: 8 * minute + 1)
                let whole = try await store.rollup(range, step: nil)
                try expectEqual(whole.map(\.startUnixNanos), [2 * minute], "start of the whole")
                try expectEqual(whole.map(\.endUnixNanos), [9 * minute], "end of the whole")
                try expectEqual(whole[0].operations.map(\.durations.count), [7], "count")
                let cut = try await store.rollup(range, step: 2 * minute + 1)
                try expectEqual(cut.map { $0.startUnixNanos / minute }, [2, 3, 6], "starts in minutes")
                try expectEqual(cut.map { $0.endUnixNanos / minute }, [3, 6, 9], "ends in minutes")
                try expectEqual(cut.map { $0.operations[0].durations.count }, [1, 3, 3], "counts")
            },

            Case("a call is an edge from the calling to the called service") { store in
                var slow = span(1, 4, parent: 3, at: 1_020, for: 60, kind: .server, service: "stock")
                slow.status = .init(.error)
                slow.weight = 4
                try await append(
                    [
                        span(1, 1, for: 500, kind: .server, service: "web"),
                        span(1, 2, parent: 1, kind: .internal, service: "web"),
                        span(1, 3, parent: 2, for: 100, kind: .client, service: "web"), slow,
                        span(1, 5, parent: 4, for: 20, kind: .producer, service: "stock"),
                        span(1, 6, parent: 5, for: 30, kind: .consumer, service: "mail"),
                        // The two sides of one call under one id.
                        span(2, 7, for: 90, kind: .client, service: "web"),
                        span(2, 7, for: 80, kind: .server, service: "bank"),
                    ],
                    to: store
                )
                let edges = try await store.rollup(.all, step: nil)[0].edges
                try expectEqual(
                    edges.map { "\($0.client ?? "?")>\($0.server ?? "?") \($0.connectionType)" },
                    [
                        "stock>mail messagingSystem", "web>bank direct", "web>stock direct",
                    ],
                    "edges"
                )
                try expectEqual(edges.map(\.callCount), [1, 1, 4], "calls")
                try expectEqual(edges.map(\.errorCount), [0, 0, 4], "failed calls")
                try expectEqual(edges.map(\.serverDurations.sumNanos), [30, 80, 240], "as the called side says")
                try expectEqual(edges.map(\.clientDurations.sumNanos), [20, 90, 400], "as the calling side says")
            },

            Case("what sends no spans is named by the attributes of who calls it") { store in
                func call(_ id: UInt64, _ kind: Span.Kind, _ attributes: [Attribute]) -> Span {
                    span(1, id, kind: kind, service: "web", attributes: attributes)
                }
                try await append(
                    [
                        call(1, .client, [Attribute("db.system", "postgresql"), Attribute("db.name", "orders")]),
                        call(
                            2,
                            .client,
                            [Attribute("db.system.name", "redis"), Attribute("server.address", "10.0.0.1")]
                        ),
                        call(
                            3,
                            .client,
                            [Attribute("server.address", "api.example"), Attribute("peer.service", "maps")]
                        ),
                        call(4, .client, [Attribute("server.address", "api.example")]),
                        call(5, .producer, [Attribute("messaging.destination.name", "bills")]),
                        call(6, .client, [Attribute("server.address", ""), Attribute("peer.service", .int(4))]),
                        call(7, .internal, [Attribute("server.address", "nobody")]),
                        call(8, .client, [Attribute("network.peer.address", "10.9.9.9")]),
                    ],
                    to: store
                )
                let edges = try await store.rollup(.all, step: nil)[0].edges
                try expectEqual(
                    edges.map { "\($0.server ?? "?") \($0.connectionType)" },
                    [
                        "10.0.0.1 database", "10.9.9.9 virtualNode", "api.example virtualNode", "bills messagingSystem",
                        "maps virtualNode", "orders database",
                    ],
                    "edges"
                )
                try expectEqual(edges.map(\.callCount), [1, 1, 1, 1, 1, 1], "calls")
            },

            Case("a span that is in a batch twice is counted once") { store in
                try await append([span(1, 1, for: 10), span(1, 1, for: 30), span(1, 1, for: 20)], to: store)
                let durations = try await store.rollup(.all, step: nil)[0].operations[0].durations
                try expectEqual(durations.count, 1, "count")
                try expectEqual(durations.sumNanos, 30, "the copy that ends last")
            },

            Case("copies and pieces that come later count nothing less, and no more than came") { store in
                let spans = (1...6).map { span($0 % 2, $0, for: $0 * 10) }
                try await append(spans, [spans[0], spans[3]], spans, to: store)
                let count = try await store.rollup(.all, step: nil)[0].operations.reduce(0) { $0 + $1.durations.count }
                try expect(count >= 6 && count <= 14, "6 spans that came as 14 are counted as \(count)")
            },
        ]
        + (0..<6 as Range<UInt64>).map { seed in
            Case("sums of random spans are those of the plain reading, seed \(seed)") { store in
                let model = MemoryStore()
                var nasty = NastySpans(seed: seed, traceCount: 4 + seed * 4)
                // Traces that come whole: of the others see above.
                let batches = Dictionary(grouping: nasty.spans(200)) { $0.traceID.low % 3 }
                for (_, spans) in batches.sorted(by: { $0.key < $1.key }) {
                    let batch = SpanBatch(spans: spans, receivedUnixNanos: 1)
                    try await store.append(batch)
                    try await model.append(batch)
                }
                let steps: [UInt64?] = [nil, minute, 60 * minute, 90 * minute, .max]
                for range in [.all, nasty.range(), nasty.range()] {
                    for step in steps {
                        let (found, wanted) = (
                            try await store.rollup(range, step: step), try await model.rollup(range, step: step)
                        )
                        try expectEqual(found, wanted, "sums of \(range) by \(step ?? 0)")
                    }
                }
            }
        }

    private static let minute: UInt64 = 60_000_000_000
}
