// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

/// What is kept of names and values must say what counting anew says.
@Suite struct HeadNamesTests {
    typealias S = EngineSupport

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `names asked for in between are those of the block that is made later`(seed: UInt64) throws {
        var nasty = NastySpans(seed: seed, traceCount: 5)
        let part = HeadPart(firstSegment: 1, budget: ByteBudget(limit: .max))
        var batches: [SpanBatch] = []
        var versions: [UInt64] = []
        for _ in 0..<30 {
            let batch = SpanBatch(spans: nasty.spans(1 + Int(nasty.below(40))))
            batches.append(batch)
            part.append(batch, nowNanos: 1)
            if nasty.below(3) == 0 {
                versions.append(try part.names.names(in: part.snapshot(), Cancellation()).version)
            }
        }
        let known = try part.names.names(in: part.snapshot(), Cancellation())
        #expect(versions == versions.sorted() && versions.allSatisfy { $0 <= known.version })
        let ofBlock = try PartNames(of: try BlockFixture.open(BlockFixture.bytes(batches)))
        for list in NameListKind.allCases { #expect(known.names[list].names == ofBlock[list].names, "\(list)") }
        // Nothing new, no other version.
        part.append(batches[0], nowNanos: 1)
        #expect(try part.names.names(in: part.snapshot(), Cancellation()).version == known.version)
    }

    /// Spans of which some have the key, in their own right or by their resource.
    private static func spans(_ nasty: inout NastySpans, _ count: Int) -> [SkeinModel.Span] {
        (0..<count).map { _ in
            var span = S.span(1 + nasty.below(1_000_000), 1 + nasty.below(1_000_000))
            let values: [AttributeValue] = ["a", "ab", 1, 2.5, true, ["x"], .null, "b\(nasty.below(50))".value]
            if nasty.below(3) > 0 { span.attributes.append(Attribute("k", values[Int(nasty.below(8))])) }
            if nasty.below(9) == 0 { span.attributes.append(Attribute("k", "twice")) }
            if nasty.below(3) > 0 {
                span.resource.attributes.append(Attribute("k", .string("r\(nasty.below(3))")))
            }
            span.events = (0..<nasty.below(3)).map { number in
                .init(timeUnixNanos: 1, name: "e\(number)", attributes: [Attribute("k", .int(Int64(nasty.below(2))))])
            }
            span.scope = InstrumentationScope(name: "lib \(nasty.below(2))", version: "\(nasty.below(3))")
            span.status = Span.Status(.error, message: "m\(nasty.below(4))")
            return span
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `values are those of the plain reading in memory, in blocks, and in both`(seed: UInt64) async throws {
        let store = try await S.open(SimulatedDisk(seed: seed))
        let model = MemoryStore()
        var nasty = NastySpans(seed: seed, traceCount: 3)
        let fields: [SpanField] =
            AttributeScope.allCases.map { .attribute($0, "k") } + [
                .name, .kind, .status, .statusMessage, .serviceName, .scopeName, .scopeVersion, .eventName, .duration,
                .traceID, .parentSpanID,
            ]
        func compare() async throws {
            for field in fields {
                for prefix in ["", "a", "r", "1", "w"] {
                    // The first answer may be kept for the second.
                    for limit in [200, 3, 0] {
                        let found = try await store.values(of: field, prefix: prefix, limit: limit)
                        let wanted = try await model.values(of: field, prefix: prefix, limit: limit)
                        #expect(found == wanted, "\(field) \(prefix) \(limit)")
                    }
                }
            }
        }
        for _ in 0..<4 {
            let batch = SpanBatch(spans: Self.spans(&nasty, 1 + Int(nasty.below(60))))
            try await store.append(batch)
            try await model.append(batch)
            try await compare()
            if nasty.below(2) == 0 {
                try await store.seal()
                try await compare()
            }
        }
        await store.close()
    }

    @Test func `counts that are too low say by how much`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        var nasty = NastySpans(seed: 1, traceCount: 3)
        var truth: [String: Int] = [:]
        for _ in 0..<3 {
            // Some values are common, most come once or twice; a block keeps fewer than there are.
            let spans = (0..<9_000).map { _ in
                var span = S.span(1 + nasty.below(1_000_000), 1 + nasty.below(1_000_000))
                let value = nasty.below(2) == 0 ? "common \(nasty.below(10))" : "rare \(nasty.below(60_000))"
                truth[value, default: 0] += 1
                span.attributes = [Attribute("k", .string(value))]
                return span
            }
            try await store.append(SpanBatch(spans: spans))
            try await store.seal()
        }
        let list = try await store.values(of: .attribute(.span, "k"), prefix: "", limit: 1_000)
        #expect(list.isCut && list.countErrorMax > 0 && list.values.count == 1_000)
        for counted in list.values {
            let count = truth[counted.value.text] ?? 0
            #expect(counted.count <= count && counted.count + list.countErrorMax >= count)
        }
        #expect(Set(list.values.prefix(10).map(\.value.text)) == Set((0..<10).map { "common \($0)" }))
        // Of few values with a prefix all is known.
        let some = try await store.values(of: .attribute(.span, "k"), prefix: "rare 77", limit: 1_000)
        let wanted = truth.filter { $0.key.hasPrefix("rare 77") }
        #expect(some.countErrorMax == 0 && !some.isCut)
        #expect(Dictionary(uniqueKeysWithValues: some.values.map { ($0.value.text, $0.count) }) == wanted)
        await store.close()
    }

    @Test func `opening a block reads no table, however large`() throws {
        let spans = (0..<3_000).map { number in
            var span = S.span(UInt64(number) + 1, 1, service: "service \(number) " + String(repeating: "x", count: 300))
            span.attributes = [Attribute("key \(number)", "value")]
            return span
        }
        let bytes = try BlockFixture.bytes([SpanBatch(spans: spans)])
        let file = MemoryFile(bytes)
        let block = try Block(file, path: "test.block", id: 1)
        #expect(block.footer.resources.rawCount > 1 << 20)
        #expect(file.byteCount.load(ordering: .relaxed) <= 64 << 10 + 16)
        #expect(try PartNames(of: block).services.names.count == 3_000)
    }
}

extension String {
    fileprivate var value: AttributeValue { .string(self) }
}
