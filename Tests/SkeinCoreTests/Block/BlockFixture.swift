// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore
import Synchronization

/// A file in memory, whose reads are counted.
final class MemoryFile: DiskFile {
    let content: [UInt8]
    let reads = Atomic<Int>(0)
    let byteCount = Atomic<Int>(0)

    init(_ content: [UInt8]) { self.content = content }

    func size() throws(DiskError) -> Int { content.count }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        reads.add(1, ordering: .relaxed)
        guard offset >= 0, offset < content.count else { return 0 }
        let count = min(buffer.count, content.count - offset)
        byteCount.add(count, ordering: .relaxed)
        buffer.copyBytes(from: content[offset..<(offset + count)])
        return count
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {}
    func sync() throws(DiskError) {}
    func truncate(to count: Int) throws(DiskError) {}
}

/// Keeps everything.
final class KeepAll: ChunkCache {
    private let parts = Mutex<[Int: any CachedPart]>([:])

    func part(of block: UInt64, at offset: Int) -> (any CachedPart)? { parts.withLock { $0[offset] } }
    func keep(_ part: any CachedPart, of block: UInt64, at offset: Int) { parts.withLock { $0[offset] = part } }
}

enum BlockFixture {
    /// The bytes of a block with these batches.
    static func bytes(_ batches: [SpanBatch], groupRows: Int = 16_384) throws -> [UInt8] {
        let sink = Mutex<[UInt8]>([])
        var encoder = try BlockEncoder(groupRows: groupRows) { bytes in sink.withLock { $0 += bytes } }
        try encoder.append(batches, order: RowOrder(batches))
        let footer = try encoder.finish()
        let bytes = sink.withLock { $0 }
        precondition(footer.byteCount == bytes.count)
        return bytes
    }

    /// An open block.
    static func open(_ bytes: [UInt8], cache: (any ChunkCache)? = nil) throws(StoreError) -> Block {
        try Block(MemoryFile(bytes), path: "test.block", id: 1, cache: cache)
    }

    /// The spans in the order of a block: traces by start then id, spans by start, id, kind, arrival.
    static func ordered(_ spans: [SkeinModel.Span]) -> [SkeinModel.Span] {
        Dictionary(grouping: spans.enumerated(), by: \.element.traceID).values
            .map { trace in
                trace.sorted { a, b in
                    let (x, y) = (a.element, b.element)
                    return (x.startUnixNanos, x.spanID, x.kind.rawValue, a.offset)
                        < (y.startUnixNanos, y.spanID, y.kind.rawValue, b.offset)
                }.map(\.element)
            }
            .sorted { a, b in
                (a[0].startUnixNanos, a[0].traceID.high, a[0].traceID.low)
                    < (b[0].startUnixNanos, b[0].traceID.high, b[0].traceID.low)
            }
            .flatMap(\.self)
    }

    /// Batches of the spans, cut at random places.
    static func batches(_ spans: [SkeinModel.Span], seed: UInt64) -> [SpanBatch] {
        var random = SeededRandom(seed: seed)
        var batches: [SpanBatch] = []
        var rest = spans[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...max(1, min(rest.count, spans.count / 3 + 1)), using: &random)
            batches.append(SpanBatch(spans: Array(rest.prefix(count)), receivedUnixNanos: UInt64(batches.count + 5)))
            rest = rest.dropFirst(count)
        }
        return batches
    }
}
