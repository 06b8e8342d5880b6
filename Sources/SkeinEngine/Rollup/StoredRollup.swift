// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import Synchronization

/// An open rollup file. Keeps its footer; tables and cells are read when asked for and kept while the cache has room.
final class StoredRollup: Sendable {
    let id: BlockID
    let footer: RollupFooter
    /// Size of the file.
    let byteCount: Int
    private let reader: ChunkReader
    private let cache: PartCache

    /// Throws ``StoreError/Code/corrupt`` when the file does not check, ``StoreError/Code/unusable`` when a later version
    /// wrote it.
    init(_ id: BlockID, disk: any Disk, folder: StoreFolder, cache: PartCache) throws(StoreError) {
        let path = folder.rollup(id)
        let file: any DiskFile
        do throws(DiskError) { file = try disk.open(path, .read) } catch { throw StoreError(read: error) }
        let size: Int
        do throws(DiskError) { size = try file.size() } catch { throw StoreError(read: error) }
        self.id = id
        self.cache = cache
        byteCount = size
        reader = ChunkReader(file: file, path: path, block: StoredBlock.newCacheID(), cache: cache)
        guard size >= RollupFormat.headerByteCount + RollupFormat.trailerByteCount else {
            throw reader.corrupt("the file is too short to be a rollup", at: 0)
        }
        let tailStart = max(0, size - RollupFormat.tailGuess)
        let tail = try reader.read(size - tailStart, at: tailStart)
        let address = try Self.trailer(tail, size: size, reader)
        let raw: [UInt8]
        if address.offset >= tailStart {
            let start = address.offset - tailStart
            raw = try reader.unpack(Array(tail[start..<(start + address.storedCount)]), address)
        } else {
            raw = try reader.unpacked(address)
        }
        do throws(ByteError) {
            footer = try raw.withUnsafeBufferPointer { bytes throws(ByteError) in
                try RollupFooter(UnsafeRawBufferPointer(bytes), limit: address.offset)
            }
        } catch {
            throw reader.corrupt("the footer does not decode: \(error)", at: address.offset)
        }
        let header = tailStart == 0 ? Array(tail.prefix(16)) : try reader.read(16, at: 0)
        guard header.starts(with: RollupFormat.magic), header[8...] == [1, 0, 0, 0, 0, 0, 0, 0] else {
            throw reader.corrupt("the file does not begin like a rollup", at: 0)
        }
    }

    deinit { cache.forget(block: reader.block) }

    /// Where the footer lies.
    private static func trailer(_ tail: [UInt8], size: Int, _ reader: ChunkReader) throws(StoreError) -> ChunkAddress {
        let start = size - RollupFormat.trailerByteCount
        let bytes = Array(tail.suffix(RollupFormat.trailerByteCount))
        guard bytes.suffix(8) == RollupFormat.magic[...] else {
            throw reader.corrupt("the file does not end like a rollup", at: start)
        }
        let (address, version, zero, own) = bytes.withUnsafeBytes { bytes in
            (
                ChunkAddress(
                    offset: Int(clamping: UInt64(littleEndian: bytes.unsafelyLoad(0, as: UInt64.self))),
                    storedCount: Int(UInt32(littleEndian: bytes.unsafelyLoad(8, as: UInt32.self))),
                    rawCount: Int(UInt32(littleEndian: bytes.unsafelyLoad(12, as: UInt32.self))),
                    checksum: UInt64(littleEndian: bytes.unsafelyLoad(16, as: UInt64.self))
                ), UInt32(littleEndian: bytes.unsafelyLoad(24, as: UInt32.self)),
                UInt32(littleEndian: bytes.unsafelyLoad(28, as: UInt32.self)),
                UInt64(littleEndian: bytes.unsafelyLoad(32, as: UInt64.self))
            )
        }
        guard Checksum.matches(own, Array(bytes[..<32])), zero == 0 else {
            throw reader.corrupt("the checksum of the trailer does not match", at: start)
        }
        guard version == RollupFormat.version else {
            throw StoreError(newer: version, known: RollupFormat.version, path: reader.path)
        }
        guard address.offset <= start, address.storedCount == start - address.offset,
            address.storedCount <= address.rawCount, address.rawCount <= BlockFormat.chunkBytesMax
        else { throw reader.corrupt("the trailer names a footer that is not there", at: start) }
        return address
    }

    /// The names and series.
    func table() throws(StoreError) -> Rollup.Table {
        try reader.part(footer.table) {
            $0.byteCount
        } decode: { bytes throws(ByteError) in
            var reader = ByteReader(bytes)
            let table = try Rollup.Table(&reader)
            guard reader.isAtEnd else { throw ByteError(.invalid, at: reader.position) }
            return table
        }
    }

    /// The cells of a chunk.
    func cells(_ address: ChunkAddress) throws(StoreError) -> Rollup.Cells {
        let seriesCount = try table().series.count
        return try reader.part(address) {
            $0.byteCount
        } decode: { bytes throws(ByteError) in
            var reader = ByteReader(bytes)
            let cells = try Rollup.Cells(&reader, seriesCount: seriesCount)
            guard reader.isAtEnd else { throw ByteError(.invalid, at: reader.position) }
            return cells
        }
    }

    /// Reads and decodes every part of the file.
    func check() throws(StoreError) {
        _ = try table()
        for address in [footer.total].compactMap(\.self) + (footer.hours + footer.minutes).map(\.address) {
            _ = try cells(address)
        }
    }

    /// What of the file lies within `grid`: the coarsest cells that will do.
    struct Selection {
        var table: Rollup.Table
        var parts: [(cells: Rollup.Cells, range: Range<Int>)] = []
        /// The slice that all of it falls into, whatever minutes the cells say; `nil` when they say it.
        var slice: UInt64?
    }

    /// Reads what lies within `grid`; `nil` when nothing does.
    func selection(_ grid: RollupGrid) throws(StoreError) -> Selection? {
        guard let range = footer.range, let total = footer.total,
            range.lowerBound < grid.minutes.upperBound, range.upperBound >= grid.minutes.lowerBound
        else { return nil }
        var selection = Selection(table: try table())
        let isInside = grid.minutes.contains(range.lowerBound) && grid.minutes.contains(range.upperBound)
        if isInside, grid.slice(of: range.lowerBound) == grid.slice(of: range.upperBound) {
            let cells = try cells(total)
            selection.parts.append((cells, 0..<cells.count))
            selection.slice = grid.slice(of: range.lowerBound)
            return selection
        }
        let all = grid.minutes
        if footer.hasOnlyHours {
            try read(footer.hours, all, into: &selection)
            return selection
        }
        // Whole hours from cells of hours, the rest from cells of minutes.
        var hours = all.lowerBound..<all.lowerBound
        if grid.step.map({ $0 % 60 == 0 }) ?? true, !footer.hours.isEmpty {
            let first = (all.lowerBound + 59) / 60 * 60
            hours = first..<max(first, all.upperBound / 60 * 60)
        }
        try read(footer.hours, hours, into: &selection)
        try read(footer.minutes, all.lowerBound..<min(hours.lowerBound, all.upperBound), into: &selection)
        try read(footer.minutes, min(hours.upperBound, all.upperBound)..<all.upperBound, into: &selection)
        return selection
    }

    /// First minutes of the hours within `ranges` of which the file has no minutes.
    func onlyHours(within ranges: [Range<UInt64>]) throws(StoreError) -> Set<UInt64> {
        var hours: Set<UInt64> = []
        guard footer.hasOnlyHours else { return hours }
        for range in ranges {
            for part in footer.hours where part.first < range.upperBound && part.last >= range.lowerBound {
                let cells = try cells(part.address)
                hours.formUnion(cells.minutes[cells.range(of: range)])
            }
        }
        return hours
    }

    private func read(
        _ parts: [RollupFooter.Part],
        _ minutes: Range<UInt64>,
        into selection: inout Selection
    ) throws(StoreError) {
        guard !minutes.isEmpty else { return }
        for part in parts where part.first < minutes.upperBound && part.last >= minutes.lowerBound {
            let cells = try cells(part.address)
            selection.parts.append((cells, cells.range(of: minutes)))
        }
    }
}

/// What rollups from several places add up to.
struct RollupSum: ~Copyable {
    var numbers = SeriesNumbers()
    var table = CellTable()

    init() {}

    /// Adds what was read of a file.
    mutating func add(_ selection: StoredRollup.Selection, _ grid: RollupGrid) {
        let series = numbers.add(selection.table)
        for (cells, range) in selection.parts {
            table.add(cells, range, series: series) { selection.slice ?? grid.slice(of: $0) }
        }
    }

    /// Adds what of a rollup in memory lies within `grid`.
    mutating func add(_ rollup: Rollup, _ grid: RollupGrid) {
        let series = numbers.add(rollup.table)
        table.add(rollup.cells, rollup.cells.range(of: grid.minutes), series: series) { grid.slice(of: $0) }
    }

    consuming func slices(_ grid: RollupGrid) -> [RollupSlice] {
        Rollup(table: numbers.table, cells: table.take()).slices(grid)
    }
}
