// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

@Suite struct SharedTracesTests {
    typealias S = EngineSupport

    /// Where a span is stored, and with which starts.
    private struct Copies {
        /// In blocks; the head counts as one, since its copies are told apart where it is read.
        var rowCount: Int { blockRowCount + (places.contains(.max) && blockRowCount > 0 ? 1 : 0) }
        var blockRowCount = 0
        var places: Set<UInt64> = []
        var starts: Set<UInt64> = []
    }

    /// By trace and span.
    private static func copies(in snapshot: Contents.Snapshot) throws -> [TraceID: [SpanID: Copies]] {
        var copies: [TraceID: [SpanID: Copies]] = [:]
        func note(_ batch: SpanBatch, _ place: UInt64) {
            for row in 0..<batch.count {
                var known = copies[batch.traceIDs[row]]?[batch.spanIDs[row]] ?? Copies()
                if place != .max { known.blockRowCount += 1 }
                known.places.insert(place)
                known.starts.insert(batch.startUnixNanos[row])
                copies[batch.traceIDs[row], default: [:]][batch.spanIDs[row]] = known
            }
        }
        for stored in snapshot.blocks {
            note(try stored.block.batch(rows: 0..<stored.footer.spanCount, columns: .all), stored.number)
        }
        // What lies in two parts of the head only is put together by whoever reads the head.
        for piece in snapshot.head.flatMap(\.pieces) { note(piece.batch, .max) }
        return copies
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `what lies in several places is named, however the places came to be`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try await S.open(SimulatedDisk(seed: seed))
        for step in 0..<24 as Range<UInt64> {
            let spans = (0..<(1 + random.next() % 40)).map { _ in
                let trace = random.next() % 200
                return S.span(trace, random.next() % 6, start: 1_000 * step + trace)
            }
            try await store.append(SpanBatch(spans: spans))
            switch random.next() % 4 {
            case 0: try await store.seal()
            case 1:
                try await store.seal()
                try await store.compact()
            default: break
            }
            let snapshot = store.contents.snapshot()
            let first = 1_000 * (random.next() % (step + 1))
            let range = random.next() % 2 == 0 ? TimeRange.all : TimeRange(start: first, end: first + 3_000)
            let stored = try Self.copies(in: snapshot)
            let scattered = stored.filter { _, spans in
                spans.values.reduce(into: Set<UInt64>()) { $0.formUnion($1.places) }.count > 1
            }
            let inside = scattered.filter { _, spans in
                spans.values.contains { $0.starts.contains(where: range.contains) }
            }
            let all = try snapshot.sharedTraces.traces(in: snapshot, range, Cancellation())
            #expect(all.isSuperset(of: inside.keys), "step \(step)")
            let copied = try snapshot.sharedTraces.copied(in: snapshot, range, Cancellation())
            let twice = inside.filter { _, spans in
                spans.values.contains { $0.rowCount > 1 && $0.starts.contains(where: range.contains) }
            }
            #expect(copied.isSuperset(of: twice.keys) && copied.isSubset(of: all), "step \(step)")
            // What was learnt and handed on is no less than what is found out anew, and seldom more.
            let anew = try SharedTraces().traces(in: snapshot, .all, Cancellation())
            #expect(try snapshot.sharedTraces.traces(in: snapshot, .all, Cancellation()).isSuperset(of: anew))
            #expect(all.count <= scattered.count + 20)
        }
    }

    @Test func `places outside of the range are not read`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk) { $0.cacheByteCount = 0 }
        for hour in 0..<4 as Range<UInt64> {
            try await store.append(SpanBatch(spans: (0..<50).map { S.span(100 * hour + $0, 1, start: 1_000 * hour) }))
            try await store.seal()
        }
        let snapshot = store.contents.snapshot()
        func count(_ range: TimeRange) throws -> Int {
            let count = Mutex(0)
            disk.onRead = { count.withLock { $0 += 1 } }
            _ = try SharedTraces().traces(in: snapshot, range, Cancellation())
            disk.onRead = nil
            return count.withLock { $0 }
        }
        #expect(try count(TimeRange(start: 9_000, end: 10_000)) == 0)
        #expect(try count(TimeRange(start: 3_000, end: 4_000)) < count(.all))
    }
}
