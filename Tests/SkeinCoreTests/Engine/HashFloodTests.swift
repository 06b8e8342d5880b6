// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Ids chosen by a client that knows the source, but not the seed of the process.
@Suite struct HashFloodTests {
    static let count: UInt64 = 32_000

    /// Ids that all fall on one of 65,536 slots when nothing is random: multiples of a short vector of the lattice of
    /// numbers whose product with the hash's factor is small.
    static let spanIDs = (1...count).map { ($0 &* 0x1e03_66f7_0000) ^ 0x9e37_79b9_7f4a_7c15 }

    /// How often the fullest of 65,536 slots is hit.
    private static func most(_ hashes: [UInt64]) -> Int {
        Dictionary(grouping: hashes) { $0 & 0xffff }.values.map(\.count).max() ?? 0
    }

    @Test func `a seed spreads words that were chosen to collide`() {
        #expect(Self.most(Self.spanIDs.map { Hash.of($0) }) == Self.spanIDs.count)
        #expect(Self.most(Self.spanIDs.map { Hash.of($0, seed: Hash.processSeed) }) < 2_000)
        #expect(Self.most(Self.spanIDs.map { Hash.of(7, $0, seed: Hash.processSeed) }) < 2_000)
        #expect(Self.most(Self.spanIDs.map { Hash.of($0, 7, seed: Hash.processSeed) }) < 2_000)
    }

    @Test func `a trace of such span ids is built in no time`() {
        let kinds = [UInt8](repeating: 1, count: Self.spanIDs.count)
        var tree = TraceTree()
        let duration = ThreadTime.seconds {
            Self.spanIDs.withUnsafeBufferPointer { ids in
                kinds.withUnsafeBufferPointer { tree.build(spanIDs: ids, parentIDs: ids, kinds: $0) }
            }
        }
        #expect(duration < 3)
    }

    /// With this half the other one did not count at all.
    static let traceIDs = (1...count).map { TraceID(high: 0xa076_1d64_78bd_642f, low: $0) }

    @Test func `such trace ids are indexed in no time`() {
        var index = TraceIndex()
        let duration = ThreadTime.seconds { index.append(Self.traceIDs) }
        #expect(duration < 3)
    }

    @Test func `such trace ids are ordered in no time`() {
        let folded = (1...Self.count).map { high in
            TraceID(high: high, low: Hash.fold(high, 0xe703_7ed1_a0b4_28db))
        }
        var builder = SpanBatchBuilder()
        _ = builder.addResource(serviceName: 0)
        _ = builder.addScope(name: 0)
        for id in folded {
            var fields = SpanBatchBuilder.SpanFields()
            fields.traceID = id
            builder.addSpan(fields)
        }
        let batch = builder.finish(receivedUnixNanos: 0)
        let duration = ThreadTime.seconds { _ = RowOrder([batch]) }
        #expect(duration < 3)
    }
}
