// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct BlockDamageTests {
    static let predicates: [SpanPredicate] = [
        .compare(.duration, .greater, .int(1_050)), .compare(.attribute(.any, "a"), .equal, .string("abc")),
        .compare(.attribute(.event, "b"), .notEqual, .int(7)), .compare(.name, .equal, .string("a")),
        .compare(.serviceName, .equal, .string("abc")), .exists(.attribute(.link, "c")),
        .compare(.parentSpanID, .equal, .string("")), .compare(.traceID, .notEqual, .string("")),
    ]

    /// Everything that can be read of a block, or the errors met instead.
    struct Answers: Equatable {
        var spans: [SkeinModel.Span]?
        var sets: [Block.NestedSet]?
        var found: [[TraceID]?] = []
        var rows: [[Int]?] = []
        var operations: [NameKey: NameFacts]?
        var keys: [NameKey: NameFacts]?
    }

    /// Reads all; every failure must be a `StoreError` that a caller knows what to do with.
    static func readAll(_ bytes: [UInt8]) -> Answers? {
        func attempt<T>(_ body: () throws(StoreError) -> T) -> T? {
            do throws(StoreError) {
                return try body()
            } catch {
                #expect(error.code == .corrupt || error.code == .unusable, "\(error)")
                return nil
            }
        }
        guard let block = attempt({ () throws(StoreError) in try BlockFixture.open(bytes) }) else { return nil }
        var answers = Answers()
        let rows = 0..<block.footer.spanCount
        answers.spans = attempt { () throws(StoreError) in try block.batch(rows: rows, columns: .all).spans }
        answers.sets = attempt { () throws(StoreError) in try block.nestedSets(rows: rows) }
        let names = attempt { () throws(StoreError) in try PartNames(of: block) }
        answers.operations = names?.operations.names
        answers.keys = names?.keys.names
        for group in block.footer.groups.indices {
            answers.found.append(
                attempt { () throws(StoreError) in
                    try block.traces(inGroup: group).ids.filter { id in (try? block.find(id))?.isEmpty == false }
                }
            )
        }
        for predicate in predicates {
            var scan = BlockScan(
                block,
                range: TimeRange(start: 1_010, end: .max),
                predicate: CompiledPredicate(predicate)
            )
            for group in block.footer.groups.indices {
                answers.rows.append(attempt { () throws(StoreError) in try scan.rows(inGroup: group).rows })
            }
        }
        return answers
    }

    static let whole: [UInt8] = {
        var nasty = NastySpans(seed: 4, traceCount: 2)
        let spans = nasty.spans(6)
        return (try? BlockFixture.bytes([SpanBatch(spans: spans)], groupRows: 3)) ?? []
    }()

    /// Each answer is the right one or an error.
    static func check(_ found: Answers?, against right: Answers, _ what: String) {
        guard let found else { return }
        #expect(found.spans == nil || found.spans == right.spans, "\(what): spans")
        #expect(found.sets == nil || found.sets == right.sets, "\(what): nested sets")
        #expect(found.operations == nil || found.operations == right.operations, "\(what): operations")
        #expect(found.keys == nil || found.keys == right.keys, "\(what): keys")
        #expect(found.rows.count == right.rows.count, "\(what): groups")
        for (a, b) in zip(found.rows, right.rows) { #expect(a == nil || a == b, "\(what): matches") }
    }

    @Test func `a flipped bit anywhere is an error or changes nothing`() throws {
        let right = try #require(Self.readAll(Self.whole))
        var random = SeededRandom(seed: 10)
        for offset in Self.whole.indices {
            let bit = Int.random(in: 0..<8, using: &random)
            var broken = Self.whole
            broken[offset] ^= 1 << UInt8(bit)
            Self.check(Self.readAll(broken), against: right, "bit \(bit) of byte \(offset)")
        }
    }

    @Test func `a block cut short anywhere does not open`() {
        for count in 0..<Self.whole.count { #expect(Self.readAll(Array(Self.whole[..<count])) == nil) }
    }

    @Test func `bytes overwritten at random never trap`() throws {
        let right = try #require(Self.readAll(Self.whole))
        var random = SeededRandom(seed: 11)
        for round in 0..<100 {
            var broken = Self.whole
            let start = Int.random(in: 0..<broken.count, using: &random)
            for offset in start..<min(broken.count, start + Int.random(in: 1...64, using: &random)) {
                broken[offset] = UInt8.random(in: 0...255, using: &random)
            }
            Self.check(Self.readAll(broken), against: right, "round \(round)")
        }
    }

    @Test func `a footer that lies under a right checksum is an error or harmless`() throws {
        // The decoders behind the checksums, offered garbage of every kind.
        var random = SeededRandom(seed: 12)
        let right = try BlockFixture.open(Self.whole)
        let footerAt = Self.whole.count - 56
        let stored = Self.whole[(footerAt + 8)..<(footerAt + 12)].reversed().reduce(0) { $0 << 8 | Int($1) }
        let raw = Self.whole[(footerAt + 12)..<(footerAt + 16)].reversed().reduce(0) { $0 << 8 | Int($1) }
        try #require(stored == raw, "the small footer is not packed")
        for _ in 0..<400 {
            var broken = Self.whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = footerAt - stored + Int.random(in: 0..<stored, using: &random)
                broken[at] = UInt8.random(in: 0...255, using: &random)
            }
            Self.store(Checksum.of(Array(broken[(footerAt - stored)..<footerAt])), at: footerAt + 16, in: &broken)
            Self.store(Checksum.of(Array(broken[footerAt..<(footerAt + 40)])), at: footerAt + 40, in: &broken)
            _ = Self.readAll(broken)
        }
        #expect(right.footer.spanCount == 6)
    }

    private static func store(_ value: UInt64, at offset: Int, in bytes: inout [UInt8]) {
        for byte in 0..<8 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
    }

    @Test func `a block of a newer version says so`() throws {
        var newer = Self.whole
        let at = newer.count - 56
        newer[at + 32] = 2
        Self.store(Checksum.of(Array(newer[at..<(at + 40)])), at: at + 40, in: &newer)
        #expect {
            try BlockFixture.open(newer)
        } throws: {
            ($0 as? StoreError)?.code == .unusable
        }
    }
}
