// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import Testing

@testable import SkeinEngine

@Suite struct PackedBatchTests {
    static let batches = [
        SpanBatch(spans: []),
        SpanBatch(spans: [SpanBatchTests.bare], receivedUnixNanos: .max),
        SpanBatch(spans: [SpanBatchTests.bare, SpanBatchTests.full, SpanBatchTests.bare], receivedUnixNanos: 5),
    ]

    static func packed(_ batch: SpanBatch) -> [UInt8] {
        var out = ByteWriter()
        PackedBatch.append(batch, to: &out)
        return out.array()
    }

    @Test(arguments: batches.indices) func `a batch comes back as it was`(index: Int) throws {
        let batch = Self.batches[index]
        let read = try Self.packed(batch).withUnsafeBytes { bytes throws(PackedBatch.Failure) in
            try PackedBatch.read(bytes)
        }
        #expect(read.spans == batch.spans)
        #expect(read.receivedUnixNanos == batch.receivedUnixNanos)
    }

    @Test func `no bytes whatever make reading trap`() {
        let good = Self.packed(Self.batches[2])
        for length in 0..<good.count { _ = good.prefix(length).withUnsafeBytes { try? PackedBatch.read($0).spans } }
        var random = SeededRandom(seed: 1)
        for offset in good.indices {
            for value in [0, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)] {
                var bad = good
                bad[offset] = value
                _ = bad.withUnsafeBytes { try? PackedBatch.read($0).spans }
            }
        }
    }
}
