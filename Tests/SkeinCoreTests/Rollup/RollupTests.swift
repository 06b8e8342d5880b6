// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct RollupTests {
    /// What spans add up to, each trace whole.
    static func rollup(_ spans: [SkeinModel.Span]) throws -> Rollup {
        var counter = RollupCounter()
        var tables = BlockTables()
        let batches = [SpanBatch(spans: spans)]
        counter.add(try BlockSection(batches, RowOrder(batches), tables: &tables), tables)
        return counter.take()
    }

    static func random(_ seed: UInt64, _ count: Int = 40) throws -> Rollup {
        var nasty = NastySpans(seed: seed, traceCount: 8)
        return try rollup(nasty.spans(count))
    }

    private static func encoded(_ rollup: Rollup) -> (table: [UInt8], cells: [UInt8]) {
        var table = ByteWriter()
        var cells = ByteWriter()
        rollup.table.append(to: &table)
        rollup.cells.append(0..<rollup.cells.count, to: &cells)
        return (table.array(), cells.array())
    }

    private static func decoded(_ table: [UInt8], _ cells: [UInt8]) throws(ByteError) -> Rollup {
        let table = try table.withUnsafeBufferPointer { bytes throws(ByteError) in
            var reader = ByteReader(UnsafeRawBufferPointer(bytes))
            let table = try Rollup.Table(&reader)
            if !reader.isAtEnd { throw ByteError(.invalid, at: reader.position) }
            return table
        }
        return try cells.withUnsafeBufferPointer { bytes throws(ByteError) in
            var reader = ByteReader(UnsafeRawBufferPointer(bytes))
            let cells = try Rollup.Cells(&reader, seriesCount: table.series.count)
            if !reader.isAtEnd { throw ByteError(.invalid, at: reader.position) }
            return Rollup(table: table, cells: cells)
        }
    }

    private static let grid = RollupGrid(.all, stepNanos: 60_000_000_000)

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `rollups are a commutative group`(seed: UInt64) throws {
        let (a, b, c) = (try Self.random(seed), try Self.random(seed + 100), try Self.random(seed + 200))
        #expect(a + b == b + a)
        #expect((a + b) + c == a + (b + c))
        #expect(a + Rollup() == a)
        #expect((a + b) - b == a)
        #expect((a - a).cells.isEmpty)
        #expect(a - b != b - a)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `what was written is read back`(seed: UInt64) throws {
        let (a, b) = (try Self.random(seed), try Self.random(seed + 100))
        for rollup in [a, a - b, Rollup()] {
            let (table, cells) = Self.encoded(rollup)
            let read = try Self.decoded(table, cells)
            #expect(read == rollup)
            #expect(read.slices(Self.grid) == rollup.slices(Self.grid))
        }
    }

    @Test func `damaged bytes are an error or another rollup, never a trap`() throws {
        let (table, cells) = Self.encoded(try Self.random(3))
        for byte in [0x01, 0x80, 0xff, 0x40] as [UInt8] {
            for offset in table.indices {
                var damaged = table
                damaged[offset] ^= byte
                if let read = try? Self.decoded(damaged, cells) { _ = (read + read).slices(Self.grid) }
            }
            for offset in cells.indices {
                var damaged = cells
                damaged[offset] ^= byte
                if let read = try? Self.decoded(table, damaged) { _ = (read + read).slices(Self.grid) }
            }
        }
        for count in cells.indices {
            #expect(throws: ByteError.self) { try Self.decoded(table, Array(cells[..<count])) }
        }
        for count in table.indices {
            #expect(throws: ByteError.self) { try Self.decoded(Array(table[..<count]), cells) }
        }
    }

    @Test func `beyond the limit a service's operations are one, and its sum is right`() throws {
        var limits = SeriesNumbers.Limits()
        limits.serviceCount = 4
        limits.operationCount = 10
        var numbers = SeriesNumbers(limits)
        var cells = CellTable()
        for service in 0..<6 as Range<UInt64> {
            let first = numbers.service("s\(service)")
            for name in 0..<8 as Range<UInt64> {
                let second = numbers.operation("n\(name)")
                let series = numbers.number(.init(role: .operation, first: first, second: second, detail: 1, status: 0))
                cells.add(series: series, minute: 1, durationNanos: 5, units: 65_536, traceID: TraceID(high: 0, low: 1))
            }
        }
        let slice = try #require(Rollup(table: numbers.table, cells: cells.take()).slices(Self.grid).first)
        let byService = Dictionary(grouping: slice.operations) { $0.service }
        #expect(byService.keys.compactMap(\.self).sorted() == ["s0", "s1", "s2", "s3"])
        for service in ["s0", "s1", "s2", "s3"] {
            #expect(byService[service]?.reduce(0) { $0 + $1.durations.count } == 8)
        }
        #expect(byService["s3"]?.map(\.operation) == [nil])
        #expect(byService[nil]?.map(\.durations.count) == [16])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a span with copies is counted once, as the plain reading does`(seed: UInt64) async throws {
        var nasty = NastySpans(seed: seed, traceCount: 3)
        let spans = nasty.spans(60)
        var again = spans
        for index in again.indices where nasty.below(2) == 0 {
            again[index].durationNanos = min(nasty.moment(), .max - again[index].startUnixNanos)
        }
        let model = MemoryStore()
        try await model.append(SpanBatch(spans: spans + again))
        #expect(try await model.rollup(.all, step: 60_000_000_000) == Self.rollup(spans + again).slices(Self.grid))
    }
}
