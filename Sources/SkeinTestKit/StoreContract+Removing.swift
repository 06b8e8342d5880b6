// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension StoreContract {
    /// Deleting, redacting, usage.
    static let removing: [Case] = [
        Case("traces with a matching span are deleted whole, wherever their spans are") { store in
            try await append(
                [span(1, 1, attributes: [Attribute("user.id", .string("ann"))]), span(2, 2)],
                [span(1, 3, at: 5_000), span(3, 4, attributes: [Attribute("user.id", .string("ann"))])],
                [span(1, 5, at: 9_000), span(2, 6)],
                to: store
            )
            let ann = SpanPredicate.compare(.attribute(.any, "user.id"), .equal, .string("ann"))
            let outcome = try await store.remove(
                Removal(.delete, predicate: ann, queryText: "user.id = \"ann\"", requestedBy: "a test")
            )
            try expectEqual(outcome.traceCount, 2, "traces deleted")
            try expectEqual(outcome.spanCount, 4, "spans deleted")
            try await expectEqual(store.search(SpanQuery()).traces.map(\.traceID.low), [2], "traces left")
            try await expect(store.trace(TraceID(high: 0, low: 1)) == nil, "the trace is gone")
            try await expectEqual(store.trace(TraceID(high: 0, low: 2))?.count, 2, "spans of the other")
            let record = try await store.removalRecords().last
            try expectEqual(record?.outcome, outcome, "outcome on record")
            try expectEqual(record?.requestedBy, "a test", "who asked")
            try expectEqual(record?.action, .delete, "what was asked")
            try await append([span(1, 9)], to: store)
            try await expectEqual(store.trace(TraceID(high: 0, low: 1))?.count, 1, "a later span is a trace again")
        },

        Case("only what starts in the range is looked at") { store in
            try await append([span(1, 1, at: 1_000), span(2, 2, at: 2_000)], to: store)
            let removal = Removal(.delete, range: TimeRange(start: 1_500, end: 9_000), predicate: .true)
            try await expectEqual(store.remove(removal).traceCount, 1, "traces deleted")
            try await expectEqual(store.search(SpanQuery()).traces.map(\.traceID.low), [1], "traces left")
        },

        Case("values of matching spans are masked, and those of others are not") { store in
            var one = span(1, 1, attributes: [Attribute("card", .int(7)), Attribute("shop", .string("x"))])
            one.events = [Span.Event(timeUnixNanos: 1_001, name: "paid", attributes: [Attribute("card", .int(8))])]
            one.links = [Span.Link(traceID: TraceID(high: 5, low: 5), spanID: SpanID(5))]
            one.links[0].attributes = [Attribute("card", .bool(true))]
            one.resource.attributes.append(Attribute("card", .string("of the house")))
            var two = span(1, 2, at: 1_005, attributes: [Attribute("card", .int(7))])
            two.resource = one.resource
            try await append([one], [two, span(2, 3, attributes: [Attribute("card", .int(7))])], to: store)
            let first = SpanPredicate.compare(.attribute(.span, "shop"), .equal, .string("x"))
            let outcome = try await store.remove(Removal(.redact(keys: ["card"]), predicate: first))
            try expectEqual(outcome.traceCount, 1, "traces")
            try expectEqual(outcome.spanCount, 1, "spans")
            let spans = try await store.trace(TraceID(high: 0, low: 1))?.spans ?? []
            let mask = AttributeValue.string(Removal.mask)
            try expectEqual(spans.first?.attributes.map(\.value), [mask, .string("x")], "its attributes")
            try expectEqual(spans.first?.events.first?.attributes.map(\.value), [mask], "its event's")
            try expectEqual(spans.first?.links.first?.attributes.map(\.value), [mask], "its link's")
            try expectEqual(spans.first?.resource.attributes.map(\.value), [.string("shop"), mask], "its resource's")
            try expectEqual(spans.last, two, "the other span of the trace")
            try await expectEqual(
                store.trace(TraceID(high: 0, low: 2))?.spans.first?.attributes.map(\.value),
                [.int(7)],
                "the other trace"
            )
            let seven = SpanPredicate.compare(.attribute(.span, "card"), .equal, .int(7))
            try await expectEqual(store.search(SpanQuery(predicate: seven)).traces.count, 2, "traces with the value")
        },

        Case("a redaction counts the spans in which it changed a value") { store in
            let mask = AttributeValue.string(Removal.mask)
            try await append(
                [
                    span(1, 1, attributes: [Attribute("card", .int(7))]),
                    span(1, 2, attributes: [Attribute("card", mask)]), span(1, 3),
                ],
                [span(2, 4), span(3, 5, attributes: [Attribute("card", .int(8))])],
                to: store
            )
            let nothing = try await store.remove(Removal(.redact(keys: ["nosuchkey"]), predicate: .true))
            try expectEqual(nothing, Removal.Outcome(), "of a key that no span carries")
            let removal = Removal(.redact(keys: ["card"]), predicate: .true)
            let preview = try await store.preview(removal)
            let outcome = try await store.remove(removal)
            try expectEqual(outcome.traceCount, 2, "traces")
            try expectEqual(outcome.spanCount, 2, "spans")
            try expectEqual(preview.outcome, outcome, "as the preview said")
            try await expectEqual(store.remove(removal), Removal.Outcome(), "the second time")
        },

        Case("a preview counts what a removal would take, and takes nothing") { store in
            for trace in 1...7 { try await append([span(UInt64(trace), 1), span(UInt64(trace), 2)], to: store) }
            let removal = Removal(.delete, predicate: .compare(.spanID, .equal, .string("0000000000000002")))
            let preview = try await store.preview(removal)
            try expectEqual(preview.outcome.traceCount, 7, "traces")
            try expectEqual(preview.outcome.spanCount, 14, "spans")
            try expectEqual(preview.sampleTraceIDs.count, Removal.Preview.sampleCountMax, "samples")
            try await expectEqual(store.removalRecords(), [], "records")
            try await expectEqual(store.search(SpanQuery()).traces.count, 7, "traces left")
            try await expectEqual(store.remove(removal), preview.outcome, "outcome")
        },

        Case("keys that cannot be redacted are refused") { store in
            for keys in [[], ["service.name"]] {
                do {
                    _ = try await store.remove(Removal(.redact(keys: keys), predicate: .true))
                    throw Violation(description: "redacting \(keys) was accepted")
                } catch let error as StoreError {
                    try expectEqual(error.code, .limit, "code")
                }
            }
            try await expectEqual(store.removalRecords(), [], "records")
        },

        Case("usage counts the spans of every service") { store in
            try await append(
                [
                    span(1, 1, service: "a"), span(1, 2, service: "b"), span(1, 3, service: "b"),
                    span(2, 4, service: ""),
                ],
                to: store
            )
            let usage = try await store.usage()
            try expectEqual(
                Dictionary(uniqueKeysWithValues: usage.map { ($0.name, $0.spanCount) }),
                ["a": 1, "b": 2, "": 1],
                "spans"
            )
            try expect(usage.allSatisfy { $0.byteCount > 0 }, "every service takes something")
        },
    ]
}
