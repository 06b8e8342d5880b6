// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

@Suite struct FilterTests {
    /// The rows of a table of filters, as a file would hold them.
    private struct Table {
        var rows: [UInt8]
        var table: FilterTable
        var groupCount: Int

        func holds(_ hash: UInt64, group: Int) -> Bool {
            let rowByteCount = FilterTable.rowByteCount(groups: groupCount)
            let start = FilterTable.line(of: hash, lineBits: table.lineBits) * rowByteCount
            let row = Array(rows[start..<(start + rowByteCount)])
            return FilterTable.groups(holding: hash, in: row, count: groupCount)[group]
        }

        init(_ groups: [[UInt64]]) throws {
            var writer = FilterWriter(bitsPerEntry: 12)
            for group in groups {
                for hash in group { writer.add(hash) }
                writer.finishGroup()
            }
            try self.init(&writer, groupCount: groups.count)
        }

        init(_ writer: inout FilterWriter, groupCount: Int) throws {
            var bytes: [UInt8] = []
            table = try writer.finish(at: 0) { bytes += $0 }
            rows = bytes
            self.groupCount = groupCount
            #expect(rows.count == table.byteCount(groups: groupCount))
        }
    }

    private static func hashes(_ counts: [Int], seed: UInt64) -> [[UInt64]] {
        var random = SeededRandom(seed: seed)
        return counts.map { count in (0..<count).map { _ in random.next() } }
    }

    @Test func `a filter never denies what a group holds, be it folded or spread`() throws {
        // Seven groups of a size decide; the large one is folded, the small ones are spread.
        let groups = Self.hashes([0, 1, 900, 1_000, 1_100, 1_000, 1_000, 1_000, 40_000, 3], seed: 1)
        let table = try Table(groups)
        #expect(table.table.lineBits == 5)
        for (number, group) in groups.enumerated() {
            for hash in group { #expect(table.holds(hash, group: number)) }
        }
    }

    @Test func `a filter admits few of the things that a group does not hold`() throws {
        let groups = Self.hashes([5_000, 5_000, 10], seed: 2)
        let table = try Table(groups)
        let strangers = Self.hashes([20_000], seed: 3)[0]
        let wrong = strangers.count { table.holds($0, group: 0) }
        // 12 bits an entry or more: below one in a hundred.
        #expect(wrong < 200)
        #expect(strangers.count { table.holds($0, group: 2) } < 20)
    }

    @Test func `a filter copied from another block answers as it did`() throws {
        let groups = Self.hashes([3_000, 2_500, 20], seed: 4)
        let first = try Table(groups)
        var writer = FilterWriter(bitsPerEntry: 12)
        for hash in groups[2] { writer.add(hash) }
        writer.finishGroup()
        let filters = GroupCopy.Filters(rows: first.rows, lineBits: first.table.lineBits)
        for group in [1, 0] { writer.append(copyOf: group, of: filters) }
        let second = try Table(&writer, groupCount: 3)
        for (number, group) in [groups[2], groups[1], groups[0]].enumerated() {
            for hash in group { #expect(second.holds(hash, group: number)) }
        }
    }

    @Test func `what equals a number is looked up as an int and as a double`() throws {
        func hashes(_ literal: SpanPredicate.Literal) -> Set<UInt64> {
            Set(FilterHash.any(of: .attribute(.span, "n"), ValueTest(.equal, literal)) ?? [])
        }
        func hash(_ value: AttributeValue) -> UInt64 {
            var bytes = ByteWriter()
            EncodedValue.append(value, to: &bytes)
            return FilterHash.of(encoded: bytes.bytes, key: FilterHash.key(.span, "n"))
        }
        let values: [AttributeValue] = [
            .int(0), .double(0), .double(-0.0), .int(5), .double(5), .double(5.5), .int(1 << 53), .double(0x1p53),
            .int(1 << 53 + 1), .int(.max), .double(0x1p63), .int(.min), .double(-0x1p63), .double(.infinity),
            .string("5"), .bool(true), .array([.int(5)]), .array([]),
        ]
        let literals: [SpanPredicate.Literal] = [
            .int(0), .double(0), .double(-0.0), .int(5), .double(5), .double(5.5), .int(1 << 53), .double(0x1p53),
            .int(1 << 53 + 1), .int(.max), .double(0x1p63), .int(.min), .double(-0x1p63), .double(.infinity),
            .string("5"), .bool(true),
        ]
        for literal in literals {
            for value in values where ValueTest(.equal, literal).holds(value) {
                #expect(hashes(literal).contains(hash(value)), "\(value) = \(literal)")
            }
        }
        #expect(!hashes(.int(5)).contains(hash(.int(0))))
        #expect(FilterHash.any(of: .attribute(.span, "n"), ValueTest(.notEqual, .int(5))) == nil)
        #expect(FilterHash.any(of: .attribute(.span, "n"), ValueTest(.greater, .int(5))) == nil)
    }

    @Test func `a search for a value reads the row groups that may hold it and no other`() throws {
        var generator = TraceGenerator(seed: 9)
        var spans = BlockFixture.ordered(generator.spans(4_000))
        spans[1_234].attributes.append(Attribute("rare", .string("needle")))
        for index in spans.indices { spans[index].attributes.append(Attribute("number", .int(Int64(index % 700)))) }
        spans[2_345].attributes[spans[2_345].attributes.count - 1].value = .double(123_456)
        spans[77].resource.attributes = [Attribute("service.name", .string("seldom"))]
        let file = MemoryFile(try BlockFixture.bytes([SpanBatch(spans: spans)], groupRows: 200))
        let block = try Block(file, path: "test.block", id: 1, cache: KeepAll())
        #expect(block.footer.groups.count > 15)
        func groups(_ predicate: SpanPredicate) throws -> Int {
            var scan = BlockScan(block, range: .all, predicate: CompiledPredicate(predicate))
            return try block.footer.groups.indices.count { try scan.mayMatch(group: $0) }
        }
        #expect(try groups(.compare(.attribute(.span, "rare"), .equal, .string("needle"))) <= 2)
        #expect(try groups(.compare(.attribute(.any, "rare"), .equal, .string("needle"))) <= 2)
        #expect(try groups(.compare(.attribute(.any, "rare"), .equal, .string("absent"))) <= 1)
        #expect(try groups(.compare(.attribute(.span, "number"), .equal, .int(123_456))) <= 2)
        #expect(try groups(.compare(.serviceName, .equal, .string("seldom"))) <= 2)
        #expect(try groups(.compare(.name, .equal, .string("no such name"))) <= 1)
        // No filter knows parts of names; the table of operations has all names.
        #expect(try groups(.compare(.name, .matches, .pattern(TextPattern("no such.*")))) == 0)
        #expect(try groups(.compare(.name, .matches, .pattern(TextPattern(".*")))) == block.footer.groups.count)
        #expect(try groups(.not(.compare(.name, .equal, .string("no such name")))) == block.footer.groups.count)

        let before = file.reads.load(ordering: .relaxed)
        var scan = BlockScan(
            block,
            range: .all,
            predicate: CompiledPredicate(.compare(.attribute(.span, "rare"), .equal, .string("nowhere")))
        )
        for group in block.footer.groups.indices where try scan.mayMatch(group: group) {}
        // The array's line, the value's line; the table of keys was read before.
        #expect(file.reads.load(ordering: .relaxed) - before <= 2)
    }

    /// The block as it was written before filters knew links.
    private static func old(_ bytes: [UInt8]) throws -> [UInt8] {
        var footer = try BlockFixture.open(bytes).footer
        for group in footer.groups.indices { footer.groups[group].filtersLinks = false }
        let trailer = bytes.count - BlockFormat.trailerByteCount
        func number(_ at: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(bytes[trailer + at + $1]) << UInt64(8 * $1) }
        }
        var raw = ByteWriter()
        footer.append(to: &raw)
        var end = ByteWriter()
        end.appendLittleEndian(number(0))
        end.appendLittleEndian(UInt32(raw.count))
        end.appendLittleEndian(UInt32(raw.count))
        end.appendLittleEndian(Checksum.of(raw.bytes))
        end.appendLittleEndian(number(24))
        end.appendLittleEndian(number(32))
        end.appendLittleEndian(Checksum.of(end.bytes))
        return bytes[..<Int(number(0))] + Array(raw.bytes) + Array(end.bytes) + BlockFormat.magic
    }

    @Test
    func `what links to a trace is found without reading other row groups, but in blocks whose filters know no links`()
        throws
    {
        var generator = TraceGenerator(seed: 9)
        var spans = BlockFixture.ordered(generator.spans(4_000))
        let wanted = TraceID(high: 0xfeed, low: 7)
        spans[1_234].links.append(Span.Link(traceID: wanted, spanID: SpanID(1)))
        spans[3_456].links += [2, 3].map { Span.Link(traceID: wanted, spanID: SpanID($0)) }
        for index in spans.indices {
            spans[index].links.append(
                Span.Link(traceID: TraceID(high: 1, low: UInt64(index / 3)), spanID: SpanID(9))
            )
        }
        let bytes = try BlockFixture.bytes([SpanBatch(spans: spans)], groupRows: 200)
        func find(_ bytes: [UInt8], _ predicate: SpanPredicate) throws -> (rows: Int, groups: Int, reads: Int) {
            let file = MemoryFile(bytes)
            let block = try Block(file, path: "test.block", id: 1, cache: KeepAll())
            let before = file.reads.load(ordering: .relaxed)
            var scan = BlockScan(block, range: .all, predicate: CompiledPredicate(predicate))
            var (rows, groups) = (0, 0)
            for group in block.footer.groups.indices where try scan.mayMatch(group: group) {
                groups += 1
                rows += try scan.rows(inGroup: group).selectedCount
            }
            return (rows, groups, file.reads.load(ordering: .relaxed) - before)
        }
        let link = SpanPredicate.compare(.linkTraceID, .equal, .string(wanted.description))
        let groupCount = try BlockFixture.open(bytes).footer.groups.count
        let (new, old) = try (find(bytes, link), find(Self.old(bytes), link))
        #expect(new.rows == 2 && new.groups <= 3, "\(new)")
        #expect(old.rows == 2 && old.groups == groupCount && groupCount > 15)
        #expect(old.reads > 4 * new.reads, "\(old.reads) and \(new.reads)")
        #expect(try find(bytes, .exists(.linkTraceID)).rows == spans.count)

        // Copies of old row groups stay what they are, beside new ones.
        let sink = Mutex<[UInt8]>([])
        var encoder = try BlockEncoder { bytes in sink.withLock { $0 += bytes } }
        for source in [bytes, try Self.old(bytes)] {
            let block = try BlockFixture.open(source)
            var numbers = try GroupCopy.TableNumbers(of: block)
            for group in block.footer.groups.indices { try encoder.append(copyOf: group, of: block, &numbers) }
        }
        _ = try encoder.finish()
        let merged = try find(sink.withLock { $0 }, link)
        #expect(merged.rows == 4 && (groupCount + 1...groupCount + 3).contains(merged.groups))
    }
}
