// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel
package import SkeinStore

/// An open block: reads what was asked for, checks every byte of it, and keeps nothing but the footer itself.
///
/// Safe to use from many tasks. Whatever the file holds, reading it ends in the stored spans or in a `StoreError`:
/// `corrupt` when bytes do not check, `io` when the disk refuses, `unusable` when the file is of a newer version.
package struct Block: Sendable {
    package let footer: BlockFooter
    var reader: ChunkReader

    /// Opens a file with one read, two when its filters are large. Its tables are read when they are asked for.
    ///
    /// - Parameters:
    ///   - path: Names the file in errors.
    ///   - id: Names the block in the cache; no two blocks with one cache may share it.
    package init(_ file: any DiskFile, path: String, id: UInt64, cache: (any ChunkCache)? = nil) throws(StoreError) {
        reader = ChunkReader(file: file, path: path, block: id, cache: cache)
        let size: Int
        do throws(DiskError) { size = try file.size() } catch { throw StoreError(.io, "\(error)", place: path) }
        guard size >= BlockFormat.headerByteCount + BlockFormat.trailerByteCount else {
            throw reader.corrupt("the file is too short to be a block", at: 0)
        }
        let tailStart = max(0, size - BlockFormat.tailGuess)
        var tail = Tail(start: tailStart, bytes: try reader.read(size - tailStart, at: tailStart))
        let address = try Self.trailer(tail.bytes, size: size, reader)
        if address.offset < tailStart {
            let front = try reader.read(tailStart - address.offset, at: address.offset)
            tail = Tail(start: address.offset, bytes: front + tail.bytes)
        }
        let raw = try tail.unpacked(address, reader)
        do throws(ByteError) {
            footer = try raw.withUnsafeBufferPointer { bytes throws(ByteError) in
                try BlockFooter(parsing: UnsafeRawBufferPointer(bytes), fileSize: size)
            }
        } catch {
            throw reader.corrupt("the footer does not decode: \(error)", at: address.offset)
        }
        let header = tailStart == 0 ? Array(tail.bytes.prefix(16)) : try reader.read(16, at: 0)
        guard header.starts(with: BlockFormat.magic), header[8...] == [1, 0, 0, 0, 0, 0, 0, 0] else {
            throw reader.corrupt("the file does not begin like a block", at: 0)
        }
    }

    /// The end of the file, with the whole footer if all went well.
    private struct Tail {
        var start: Int
        var bytes: [UInt8]

        func unpacked(_ address: ChunkAddress, _ reader: ChunkReader) throws(StoreError) -> [UInt8] {
            let (from, underflow) = address.offset.subtractingReportingOverflow(start)
            guard !underflow, from >= 0, address.storedCount <= bytes.count, from <= bytes.count - address.storedCount
            else { return try reader.unpacked(address) }
            return try reader.unpack(Array(bytes[from..<(from + address.storedCount)]), address)
        }
    }

    /// Where the footer lies.
    private static func trailer(
        _ tail: [UInt8],
        size: Int,
        _ reader: ChunkReader
    ) throws(StoreError) -> ChunkAddress {
        let start = size - BlockFormat.trailerByteCount
        let bytes = Array(tail.suffix(BlockFormat.trailerByteCount))
        guard bytes.suffix(8) == BlockFormat.magic[...] else {
            throw reader.corrupt("the file does not end like a block", at: start)
        }
        let parsed = bytes.withUnsafeBytes { bytes in
            (
                offset: UInt64(littleEndian: bytes.unsafelyLoad(0, as: UInt64.self)),
                stored: UInt32(littleEndian: bytes.unsafelyLoad(8, as: UInt32.self)),
                raw: UInt32(littleEndian: bytes.unsafelyLoad(12, as: UInt32.self)),
                checksum: UInt64(littleEndian: bytes.unsafelyLoad(16, as: UInt64.self)),
                tail: UInt64(littleEndian: bytes.unsafelyLoad(24, as: UInt64.self)),
                version: UInt32(littleEndian: bytes.unsafelyLoad(32, as: UInt32.self)),
                zero: UInt32(littleEndian: bytes.unsafelyLoad(36, as: UInt32.self)),
                own: UInt64(littleEndian: bytes.unsafelyLoad(40, as: UInt64.self))
            )
        }
        guard Checksum.matches(parsed.own, Array(bytes[..<40])), parsed.zero == 0 else {
            throw reader.corrupt("the checksum of the trailer does not match", at: start)
        }
        guard parsed.version == BlockFormat.version else {
            throw StoreError(
                .unusable,
                "the block is of version \(parsed.version), this program reads version \(BlockFormat.version): "
                    + "use the program that wrote it",
                place: reader.path
            )
        }
        guard parsed.offset <= UInt64(start), UInt64(parsed.stored) == UInt64(start) - parsed.offset,
            parsed.stored <= parsed.raw, parsed.raw <= BlockFormat.chunkBytesMax, parsed.tail <= parsed.offset,
            parsed.tail >= BlockFormat.headerByteCount
        else { throw reader.corrupt("the trailer names a footer that is not there", at: start) }
        return ChunkAddress(
            offset: Int(parsed.offset),
            storedCount: Int(parsed.stored),
            rawCount: Int(parsed.raw),
            checksum: parsed.checksum
        )
    }

    /// The same block, read past the cache: for work that looks at everything once.
    var uncached: Block {
        var copy = self
        copy.reader.cache = nil
        return copy
    }

    /// The same block, which takes from the cache what is there and adds nothing.
    var keepingNothing: Block {
        var copy = self
        copy.reader.cache = reader.cache.map(PassingCache.init)
        return copy
    }

    /// The same block, counting what it reads from the file.
    package func metered(by meter: ReadMeter) -> Block {
        var copy = self
        copy.reader.meter = meter
        return copy
    }

    // MARK: Traces

    /// A trace as the block holds it: perhaps only a part of it, and perhaps with copies of spans.
    package struct TraceEntry: Hashable, Sendable {
        package var id: TraceID
        /// Rows of the block.
        package var rows: Range<Int>
        /// Row of the block of the earliest span without a parent id.
        package var rootRow: Int?
        package var startUnixNanos: UInt64
        package var endUnixNanos: UInt64
        /// Rows with status error.
        package var errorCount: Int
        /// Whether two rows share span id and kind.
        package var hasDuplicates: Bool
        /// Whether the block holds more of the trace in another place: it was too long to be joined.
        package var isPartial: Bool
    }

    /// Memory that the block holds while open.
    package var byteCount: Int { footer.groups.count * 192 + 512 }

    /// Whether the block may hold the trace: right when it says no. Reads one line of filters.
    package func mayContain(_ id: TraceID) -> Bool { !groups(holding: id).isEmpty }

    /// What the block holds of the trace: one entry as a rule, several when it is too long to be joined. Reads one table
    /// of traces as a rule, none when it is not there. A table that cannot be read matters only when the trace is not found
    /// whole in another.
    package func find(_ id: TraceID) throws(StoreError) -> [TraceEntry] {
        var entries: [TraceEntry] = []
        var failure: StoreError?
        for group in groups(holding: id).rows {
            let traces: TraceTable
            do throws(StoreError) {
                traces = try self.traces(inGroup: group)
            } catch {
                failure = failure ?? error
                continue
            }
            for index in traces.ids.indices where traces.ids[index] == id {
                let entry = traces[index]
                // A long trace is in the table of each of its groups.
                if entry.rows.lowerBound != entries.last?.rows.lowerBound { entries.append(entry) }
                if !entry.isPartial { return entries }
            }
        }
        if let failure { throw failure }
        return entries
    }

    /// The traces of which rows lie in group `index`, ordered by start. A long trace is in each of its groups.
    package func traces(inGroup index: Int) throws(StoreError) -> TraceTable {
        let group = footer.groups[index]
        let directory = try directory(ofGroup: index)
        let ids = try reader.part(directory.traceIDs, byteCount: { (ids: [TraceID]) in ids.count * 16 }) {
            bytes throws(ByteError) in
            guard bytes.count == group.traceCount * 16 else { throw ByteError(.truncated, at: 0) }
            return (0..<group.traceCount).map { index in
                TraceID(
                    high: UInt64(bigEndian: bytes.unsafelyLoad(index &* 16, as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.unsafelyLoad(index &* 16 &+ 8, as: UInt64.self))
                )
            }
        }
        return try TraceTable(ids, group, directory, reader)
    }

    /// The group that holds row `row` of the block.
    package func group(ofRow row: Int) -> Int {
        var low = 0
        var high = footer.groups.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if footer.groups[middle].firstRow <= row { low = middle } else { high = middle - 1 }
        }
        return low
    }

    // MARK: Tables

    func keyTable() throws(StoreError) -> KeyTable {
        try reader.part(footer.keys, byteCount: { (table: KeyTable) in table.byteCount }) {
            bytes throws(ByteError) in try KeyTable(parsing: bytes)
        }
    }

    func resourceTable() throws(StoreError) -> OwnerTable {
        try reader.part(footer.resources, byteCount: { (table: OwnerTable) in table.byteCount }) {
            bytes throws(ByteError) in try OwnerTable(parsing: bytes, textCount: 2)
        }
    }

    func scopeTable() throws(StoreError) -> OwnerTable {
        try reader.part(footer.scopes, byteCount: { (table: OwnerTable) in table.byteCount }) {
            bytes throws(ByteError) in try OwnerTable(parsing: bytes, textCount: 3)
        }
    }

    func directory(ofGroup index: Int) throws(StoreError) -> GroupDirectory {
        let group = footer.groups[index]
        return try reader.part(group.directory, byteCount: { (directory: GroupDirectory) in directory.byteCount }) {
            bytes throws(ByteError) in try GroupDirectory(parsing: bytes, of: group)
        }
    }
}

/// The traces of a row group, ordered by start.
package struct TraceTable: Sendable {
    package let ids: [TraceID]
    /// Row of the block where each trace begins, and behind them the row after the last.
    package let firstRows: [Int]
    package let startUnixNanos: [UInt64]
    private let durations: Numbers
    private let roots: Numbers
    private let errors: Numbers
    private let flags: Numbers

    /// Number of traces.
    package var count: Int { ids.count }

    init(
        _ ids: [TraceID],
        _ group: BlockFooter.Group,
        _ directory: GroupDirectory,
        _ reader: ChunkReader
    ) throws(StoreError) {
        self.ids = ids
        let counts = try reader.numbers(directory.traceRowCounts)
        let deltas = try reader.numbers(directory.traceStarts)
        durations = try reader.numbers(directory.traceDurations)
        roots = try reader.numbers(directory.traceRoots)
        errors = try reader.numbers(directory.traceErrors)
        flags = try reader.numbers(directory.traceFlags)
        var rows = [group.traceRow]
        var starts: [UInt64] = []
        rows.reserveCapacity(ids.count + 1)
        starts.reserveCapacity(ids.count)
        for trace in ids.indices {
            let count = Int(clamping: counts[trace])
            guard count > 0, count <= Int.max / 2 - rows[trace], roots[trace] <= count, errors[trace] <= count else {
                throw reader.corrupt("the table of traces contradicts itself", at: directory.traceIDs.offset)
            }
            rows.append(rows[trace] + count)
            starts.append((starts.last ?? 0) &+ deltas[trace])
        }
        // Several traces lie here whole; a long one at least as far as this group goes.
        let end = group.firstRow + group.rowCount
        guard let last = rows.last, ids.count == 1 ? last >= end : last == end else {
            throw reader.corrupt("the table of traces contradicts the group", at: directory.traceIDs.offset)
        }
        firstRows = rows
        startUnixNanos = starts
    }

    /// Whether trace `index` may have copies of spans here, or more of itself elsewhere in the block.
    func mayRepeat(_ index: Int) -> Bool { flags[index] != 0 }

    /// Whether trace `index` is known to have spans that share an id, of which the nested sets do not know whose child hangs
    /// on which of them.
    func hasSharedIDs(_ index: Int) -> Bool { flags[index] & 4 != 0 }

    /// Trace `index` of the group.
    package subscript(index: Int) -> Block.TraceEntry {
        let (end, overflow) = startUnixNanos[index].addingReportingOverflow(durations[index])
        return Block.TraceEntry(
            id: ids[index],
            rows: firstRows[index]..<firstRows[index + 1],
            rootRow: roots[index] == 0 ? nil : firstRows[index] + Int(clamping: roots[index]) - 1,
            startUnixNanos: startUnixNanos[index],
            endUnixNanos: overflow ? .max : end,
            errorCount: Int(clamping: errors[index]),
            hasDuplicates: flags[index] & 1 != 0,
            isPartial: flags[index] & 2 != 0
        )
    }

    /// Which trace of the group row `row` of the block belongs to.
    package func index(ofRow row: Int) -> Int {
        var low = 0
        var high = ids.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if firstRows[middle] <= row { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
