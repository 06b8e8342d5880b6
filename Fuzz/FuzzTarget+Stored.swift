// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization

@testable import SkeinEngine

// A build for fuzzing takes every checksum as right and packs nothing (see `Checksum.matches`), so that what stands behind
// checksums and zstd is reached. Inputs are files of such builds.

extension FuzzTarget {
    static let stored = [
        FuzzTarget(name: "packed-batch", seeds: { batches.map(packed) }) { bytes in
            guard let batch = try? PackedBatch.read(bytes) else { return }
            Soundness.checkColumns(batch)
            _ = batch.spans
        },
        FuzzTarget(name: "log-segment", seeds: { [segment(batches), segment([])] }) { bytes in
            let segment = LogSegment(bytes, number: 1)
            precondition((0...bytes.count).contains(segment.goodByteCount))
            for batch in segment.batches { Soundness.checkColumns(batch) }
            _ = LogSegment.firstBadOffset(bytes)
            _ = LogSegment.newerVersion(bytes)
            _ = LogSegment.isEnded(bytes)
        },
        FuzzTarget(name: "catalog", seeds: { [catalog] }) { bytes in
            let reading = CatalogReading(bytes)
            guard reading.damage == nil, reading.newerVersion == nil else { return }
            let again = Catalog.content(of: reading.state).withUnsafeBytes { CatalogReading($0) }
            precondition(again.damage == nil && again.state.blocks == reading.state.blocks)
        },
        FuzzTarget(name: "block", seeds: { batches.map { block([$0]) } + [block(batches)] }) { bytes in
            do throws(StoreError) {
                try readAll(try Block(MemoryFile(bytes), path: "input", id: 1))
            } catch {
                precondition(error.code == .corrupt || error.code == .unusable, "\(error)")
            }
        },
        FuzzTarget(name: "rollup", seeds: { [rollup] }) { bytes in
            let folder = StoreFolder(root: "")
            let id = BlockID(firstSegment: 1, lastSegment: 1)
            let disk = SimulatedDisk(seed: 0)
            do {
                try disk.createDirectory(folder.rollups)
                try disk.open(folder.rollup(id), .create).append(bytes)
            } catch {
                fatalError("\(error)")
            }
            do throws(StoreError) {
                let file = try StoredRollup(id, disk: disk, folder: folder, cache: PartCache(byteCountMax: 0))
                try file.check()
            } catch {
                precondition(error.code == .corrupt || error.code == .unusable, "\(error)")
            }
        },
        FuzzTarget(name: "backup-manifest", seeds: { [manifest] }) { bytes in
            let text = Array(bytes)
            _ = try? BackupManifest(parsing: text + Array("end \(Hex.string(Checksum.of(text)))\n".utf8))
        },
    ]

    // MARK: Seeds

    private static let batches: [SpanBatch] = {
        var nasty = NastySpans(seed: 4, traceCount: 2)
        return [1, 3, 6].map { SpanBatch(spans: nasty.spans($0)) }
    }()

    private static func packed(_ batch: SpanBatch) -> [UInt8] {
        var out = ByteWriter()
        PackedBatch.append(batch, to: &out)
        return out.array()
    }

    private static func segment(_ batches: [SpanBatch]) -> [UInt8] {
        var out = LogSegment.header(1)
        for batch in batches { LogSegment.append(batch, to: &out) }
        let end = LogSegment.endRecord()
        out.append(end.bytes)
        return out.array()
    }

    private static var catalog: [UInt8] {
        var state = CatalogState()
        state.apply(.addBlock(BlockID(firstSegment: 1, lastSegment: 2, generation: 1)))
        state.apply(.startLog(3))
        state.apply(.addService("shop", 1))
        return Catalog.content(of: state, [BlockID(firstSegment: 3, lastSegment: 3)])
    }

    private static func block(_ batches: [SpanBatch]) -> [UInt8] {
        let sink = Mutex<[UInt8]>([])
        do {
            var encoder = try BlockEncoder(groupRows: 3) { bytes in sink.withLock { $0 += bytes } }
            try encoder.append(batches, order: RowOrder(batches))
            _ = try encoder.finish()
        } catch {
            fatalError("\(error)")
        }
        return sink.withLock { $0 }
    }

    private static var rollup: [UInt8] {
        let folder = StoreFolder(root: "")
        let id = BlockID(firstSegment: 1, lastSegment: 1)
        let disk = SimulatedDisk(seed: 0)
        do {
            try disk.createDirectory(folder.rollups)
            let bytes = block(batches)
            let block = try bytes.withUnsafeBytes { try Block(MemoryFile($0), path: "seed", id: 1) }
            let files = RollupFiles(disk: disk, folder: folder, cache: PartCache(byteCountMax: 0))
            _ = try files.remake(id, of: block)
            return try disk.contents(of: folder.rollup(id), limit: 1 << 20)
        } catch {
            fatalError("\(error)")
        }
    }

    private static var manifest: [UInt8] {
        var manifest = BackupManifest(folder: "/data")
        manifest.files = ["catalog": FileSum(byteCount: 12, checksum: 34)]
        // Without the line of its checksum, which the target adds.
        let bytes = manifest.bytes.dropLast()
        return bytes.lastIndex(of: UInt8(ascii: "\n")).map { Array(bytes[...$0]) } ?? []
    }
}

/// Reads all there is in a block, every way there is.
private func readAll(_ block: Block) throws(StoreError) {
    let rows = 0..<block.footer.spanCount
    // A column of one value takes no room, however many rows it says it has.
    guard rows.count <= 10_000 else { return }
    let batch = attempt { () throws(StoreError) in try block.batch(rows: rows, columns: .all) }
    if let batch {
        Soundness.checkColumns(batch)
        _ = batch.spans
    }
    _ = attempt { () throws(StoreError) in try block.nestedSets(rows: rows) }
    _ = attempt { () throws(StoreError) in try PartNames(of: block) }
    for group in block.footer.groups.indices {
        _ = attempt { () throws(StoreError) in
            for id in try block.traces(inGroup: group).ids { _ = try block.find(id) }
        }
    }
    for predicate in predicates {
        var scan = BlockScan(block, range: TimeRange(start: 1_010, end: .max), predicate: CompiledPredicate(predicate))
        for group in block.footer.groups.indices {
            _ = attempt { () throws(StoreError) in try scan.rows(inGroup: group).rows }
        }
    }
}

/// What was read, `nil` where the bytes say that they are damaged.
private func attempt<T>(_ body: () throws(StoreError) -> T) -> T? {
    do throws(StoreError) {
        return try body()
    } catch {
        precondition(error.code == .corrupt || error.code == .unusable, "\(error)")
        return nil
    }
}

private let predicates: [SpanPredicate] = [
    .compare(.duration, .greater, .int(1_050)), .compare(.attribute(.any, "a"), .equal, .string("abc")),
    .compare(.attribute(.event, "b"), .notEqual, .int(7)), .compare(.name, .equal, .string("a")),
    .compare(.serviceName, .equal, .string("abc")), .exists(.attribute(.link, "c")),
    .compare(.parentSpanID, .equal, .string("")), .compare(.traceID, .notEqual, .string("")),
]

/// A file in memory that is only read.
private final class MemoryFile: DiskFile {
    private let content: [UInt8]

    init(_ content: UnsafeRawBufferPointer) { self.content = Array(content) }

    func size() throws(DiskError) -> Int { content.count }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        guard offset >= 0, offset < content.count else { return 0 }
        let count = min(buffer.count, content.count - offset)
        buffer.copyBytes(from: content[offset..<(offset + count)])
        return count
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {}
    func sync() throws(DiskError) {}
    func truncate(to count: Int) throws(DiskError) {}
}
