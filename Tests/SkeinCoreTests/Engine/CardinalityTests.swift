// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// More distinct services, span names, attribute keys and values than a store keeps lists of. `SkeinBenchmarks cardinality`
/// asks the same of a million.
@Suite struct CardinalityTests {
    typealias S = EngineSupport

    enum Kind: String, CaseIterable {
        case service, name, key, value
    }

    /// More in each of two parts than ``NameSet/Limits/part``.
    private static let count = 21_000

    private static func text(_ kind: Kind, _ number: Int) -> String { "\(kind) \(number)" }

    private static func batch(_ kind: Kind, _ numbers: Range<Int>) -> SpanBatch {
        SpanBatch(
            spans: numbers.map { number in
                var span = S.span(UInt64(number) + 1, 1, start: UInt64(number) * 1_000)
                let text = text(kind, number)
                if kind == .service { span.resource = Resource(attributes: [Attribute("service.name", .string(text))]) }
                span.name = kind == .name ? text : "work"
                span.attributes = [Attribute(kind == .key ? text : "user", .string(kind == .value ? text : "ann"))]
                return span
            }
        )
    }

    private static func predicate(_ kind: Kind, _ number: Int) -> SpanPredicate {
        let text = text(kind, number)
        return switch kind {
        case .service: .compare(.serviceName, .equal, .string(text))
        case .name: .compare(.name, .equal, .string(text))
        case .key: .compare(.attribute(.any, text), .equal, .string("ann"))
        case .value: .compare(.attribute(.span, "user"), .equal, .string(text))
        }
    }

    @Test(arguments: Kind.allCases)
    func `however many there are, each is found and lists are right as far as they go`(kind: Kind) async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk)
        for first in stride(from: 0, to: Self.count, by: 500) {
            try await store.append(Self.batch(kind, first..<(first + 500)))
            // A block with half of them; the other half stays in memory.
            if first == Self.count / 2 - 500 { try await store.seal() }
        }
        try await Self.check(store, kind)
        try await store.seal()
        try await Self.check(store, kind)
        await store.close()
        let again = try await S.open(disk)
        try await Self.check(again, kind)
        await again.close()
    }

    private static func check(_ store: EmbeddedStore, _ kind: Kind) async throws {
        let sorted = (0..<count).map { text(kind, $0) }.sorted { $0.precedes($1) }
        /// The first of a list, the whole, and a part of it.
        func check(_ isThis: Bool, _ list: (String, Int) async throws -> (names: [String], isCut: Bool)) async throws {
            let all = try await list("", .max)
            let wanted = isThis ? sorted : all.names
            #expect(all.names == wanted && !all.isCut)
            let first = try await list("", 20)
            #expect(first.names == Array(wanted.prefix(20)) && first.isCut == (wanted.count > 20))
            let prefix = "\(kind) 123"
            let some = try await list(prefix, 50)
            let wantedOfPrefix = isThis ? sorted.filter { $0.hasPrefix(prefix) } : []
            #expect(some.names == Array(wantedOfPrefix.prefix(50)) && some.isCut == isThis)
        }
        try await check(kind == .service) { prefix, limit in
            let list = try await store.services(prefix: prefix, limit: limit)
            return (list.names.map(\.name), list.isCut)
        }
        try await check(kind == .name) { prefix, limit in
            let list = try await store.operations(
                ofService: kind == .service ? text(kind, 5) : "shop",
                prefix: prefix,
                limit: limit
            )
            return (list.names.map(\.name), list.isCut)
        }
        try await check(kind == .key) { prefix, limit in
            let list = try await store.attributeKeys(prefix: prefix, limit: limit)
            let expected = kind == .key ? 1 : Self.count
            for key in list.names where key.name.hasPrefix("key") || key.name == "user" {
                #expect(key.spanCount == expected && key.totalSpanCount == Self.count)
            }
            return (list.names.filter { kind != .key || $0.scope == .span }.map(\.name), list.isCut)
        }
        let values = try await store.values(of: .attribute(.any, "user"), prefix: "", limit: .max)
        #expect(values.values.count <= ValueList.countMax && values.isCut == (kind == .value))
        if kind == .value {
            #expect(values.countErrorMax > 0)
        } else if kind != .key {
            #expect(values == ValueList([ValueCount(value: "ann", count: count)]))
        }
        for number in [0, 1, count / 2, count - 1] {
            let found = try await store.search(SpanQuery(predicate: predicate(kind, number))).traces
            #expect(found.map(\.traceID.low) == [UInt64(number) + 1] && found.first?.matchedSpanCount == 1)
        }
        let usage = try await store.usage()
        #expect(usage.count == (kind == .service ? count : 1))
        #expect(usage.reduce(0) { $0 + $1.spanCount } == count)
        let sums = try await store.rollup(.all, step: nil).flatMap(\.operations)
        #expect(sums.reduce(0) { $0 + $1.durations.count } == Double(count))
        #expect(sums.count <= 10_000 + 2_001)
    }

    @Test func `spans that rollups have no names for are counted`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        for first in stride(from: 0, to: 12_000, by: 500) {
            try await store.append(Self.batch(.name, first..<(first + 500)))
        }
        try await store.seal()
        #expect(await store.status().figures["rollup_overflow_spans"] == 2_000)
        let nameless = try await store.rollup(.all, step: nil).flatMap(\.operations).filter { $0.operation == nil }
        #expect(nameless.map(\.durations.count) == [2_000])
        await store.close()
    }

    @Test func `so many services get a number, and the others a colour of their name`() {
        var numbers = ServiceNumbers([ExactText("first"): 7])
        for number in 0..<ServiceNumbers.countMax { numbers.add("service \(number)") }
        #expect(numbers.numbers.count == ServiceNumbers.countMax && numbers.refusedCount == 1)
        let full = numbers
        #expect(numbers.ordinal(of: "first") == 7 && numbers.ordinal(of: "service 0") == 8)
        numbers = ServiceNumbers([:])
        numbers.add(String(repeating: "x", count: ServiceNumbers.nameByteCountMax + 1))
        #expect(numbers.numbers.isEmpty && numbers.refusedCount == 1)
        numbers = full
        let last = "service \(ServiceNumbers.countMax - 1)"
        #expect(numbers.ordinal(of: last) == numbers.ordinal(of: last) && numbers.ordinal(of: last) > 1 << 31)
        numbers.add(last)
        #expect(numbers.refusedCount == 2)
    }

    @Test(arguments: [0, 1, 7, 100, 500])
    func `the first names of a list are those that sorting gives`(limit: Int) {
        var random = SeededRandom(seed: 3)
        var least = LeastNames(prefix: "1", limit: limit)
        var counts: [NameKey: Int] = [:]
        for _ in 0..<5_000 {
            let key = NameKey("\(random.next() % 1_000)", tag: UInt8(random.next() % 2))
            var name = key.name
            name.withUTF8 { least.add(UnsafeRawBufferPointer($0), tag: key.tag, NameFacts(count: 1)) }
            if key.name.hasPrefix("1") { counts[key, default: 0] += 1 }
        }
        let wanted = counts.sorted { $0.key < $1.key }.prefix(limit)
        let (names, isCut) = least.finish()
        #expect(names.map(\.key) == wanted.map(\.key) && names.map(\.facts.count) == wanted.map(\.value))
        #expect(isCut == (counts.count > limit))
    }

    // MARK: Tables

    /// Spans of other names, that share a service's long name.
    private static func longBatch(_ count: Int, serviceByteCount: Int) -> SpanBatch {
        let resource = Resource(attributes: [
            Attribute("service.name", .string(String(repeating: "s", count: serviceByteCount)))
        ])
        return SpanBatch(
            spans: (0..<count).map { number in
                var span = S.span(UInt64(number) + 1, 1)
                span.name = "work \(number)"
                span.resource = resource
                return span
            }
        )
    }

    @Test func `a batch whose tables would be huge is refused with the remedy`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        let error = await #expect(throws: StoreError.self) {
            try await store.append(Self.longBatch(300, serviceByteCount: 1 << 19))
        }
        #expect(error?.code == .limit && error?.message.contains("shorten") ?? false)
        #expect(await store.status().spanCount == 0)
        await store.close()
    }

    @Test func `what is in memory is full before its tables grow huge`() {
        let limits = HeadLimits(spanCount: .max, byteCount: .max, tableByteCount: 1 << 20)
        let part = HeadPart(firstSegment: 1, budget: ByteBudget(limit: .max))
        for round in 1...3 {
            part.append(Self.longBatch(100, serviceByteCount: 5_000), nowNanos: 1)
            #expect(limits.isFull(part.figures) == (round == 3))
        }
    }

    @Test func `equal resources count once, however many requests they come in`() {
        var size = TableSize()
        let batch = Self.longBatch(1, serviceByteCount: 10_000)
        for _ in 0..<10 { size.add(batch) }
        // The resource once, ten operations.
        #expect((110_000..<140_000).contains(size.byteCount))
    }
}
