// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Where the filters of a block's row groups lie: a Bloom filter for each group, cut into lines, and the lines with one
/// number of all groups side by side.
///
/// A filter has `2^lineBits` lines of 64 bytes. The upper bits of a hash choose its line; its seven bits within the line
/// are the nine-bit groups, from the lowest on, of the hash times 0x9e3779b97f4a7c15. So one read, of 64 bytes a group,
/// says which groups of a block may hold something, whether the block is small or large, and nothing need stay in memory.
struct FilterTable: Hashable, Sendable {
    /// Bytes of a line of one group.
    static let lineByteCount = 64
    /// Filters larger than this, 256 KiB, are folded.
    static let lineBitsMax = 12
    private static let probes = 7
    private static let checksumByteCount = 8

    var offset = 0
    /// 0 to ``lineBitsMax``.
    var lineBits = 0

    var lineCount: Int { 1 << lineBits }

    /// Bytes of one line of all groups and their checksum.
    static func rowByteCount(groups: Int) -> Int { groups * lineByteCount + checksumByteCount }

    /// Bytes of the table.
    func byteCount(groups: Int) -> Int { groups == 0 ? 0 : lineCount * Self.rowByteCount(groups: groups) }

    /// The line of a hash.
    static func line(of hash: UInt64, lineBits: Int) -> Int {
        lineBits == 0 ? 0 : Int(truncatingIfNeeded: hash &>> UInt64(64 &- lineBits))
    }

    /// Sets a hash's bits in the line that begins at `line`.
    static func insert(_ hash: UInt64, in line: UnsafeMutableRawPointer) {
        let bits = hash &* 0x9e37_79b9_7f4a_7c15
        for probe in 0..<probes {
            let bit = Int(truncatingIfNeeded: bits &>> UInt64(9 &* probe)) & 511
            let byte = line + bit &>> 3
            byte.storeBytes(of: byte.load(as: UInt8.self) | 1 &<< UInt8(bit & 7), as: UInt8.self)
        }
    }

    /// Which groups may hold what has this hash. `row` is the row of the hash's line.
    static func groups(holding hash: UInt64, in row: [UInt8], count: Int) -> RowSet {
        precondition(row.count >= count * lineByteCount)
        let bits = hash &* 0x9e37_79b9_7f4a_7c15
        return row.withUnsafeBytes { row in
            RowSet(count: count) { group in hasBits(bits, row, group) }
        }
    }

    /// Whether any group may hold what has this hash.
    fileprivate static func mayHold(_ hash: UInt64, in row: UnsafeRawBufferPointer, count: Int) -> Bool {
        precondition(row.count >= count * lineByteCount)
        let bits = hash &* 0x9e37_79b9_7f4a_7c15
        return (0..<count).contains { hasBits(bits, row, $0) }
    }

    @inline(__always)
    private static func hasBits(_ bits: UInt64, _ row: UnsafeRawBufferPointer, _ group: Int) -> Bool {
        for probe in 0..<probes {
            let bit = Int(truncatingIfNeeded: bits &>> UInt64(9 &* probe)) & 511
            // A bit is below 512, so its byte lies within the 64 of the group.
            let byte = row.unsafelyLoad(group &* lineByteCount &+ bit &>> 3, as: UInt8.self)
            if byte & 1 &<< UInt8(bit & 7) == 0 { return false }
        }
        return true
    }
}

extension Block {
    /// Row `line` of a table of filters, checked.
    func filterRow(_ line: Int, of table: FilterTable) throws(StoreError) -> [UInt8] {
        let byteCount = FilterTable.rowByteCount(groups: footer.groups.count)
        let offset = table.offset + line * byteCount
        let row = try reader.read(byteCount, at: offset)
        let isSound = row.withUnsafeBytes { row in
            let content = UnsafeRawBufferPointer(rebasing: row.dropLast(8))
            return Checksum.matches(UInt64(littleEndian: row.unsafelyLoad(content.count, as: UInt64.self)), content)
        }
        guard isSound else { throw reader.corrupt("the checksum of a line of filters does not match", at: offset) }
        return row
    }

    /// All rows of a table of filters, checked.
    func filterRows(of table: FilterTable) throws(StoreError) -> [UInt8] {
        var rows: [UInt8] = []
        guard !footer.groups.isEmpty else { return rows }
        rows.reserveCapacity(table.byteCount(groups: footer.groups.count))
        for line in 0..<table.lineCount { rows += try filterRow(line, of: table) }
        return rows
    }

    /// Which groups may hold the trace: wrong in one of some hundred groups, right about those it leaves out. All of them
    /// when the filters cannot be read: they save work and know nothing that the rows do not.
    func groups(holding id: TraceID) -> RowSet {
        groups(holding: FilterHash.of(id), footer.traceFilters) { line, offset throws(StoreError) in
            try reader.part(at: offset, byteCount: \[UInt8].count) { () throws(StoreError) in
                try filterRow(line, of: footer.traceFilters)
            }
        }
    }

    /// Those of many traces that the block may hold: right about those it leaves out. Each line of filters is read once.
    func mayContain(_ ids: [TraceID]) -> [TraceID] {
        let table = footer.traceFilters
        let count = footer.groups.count
        guard count > 0 else { return [] }
        var hashes = ids.indices.map { (hash: FilterHash.of(ids[$0]), index: $0) }
        // The upper bits of a hash are its line.
        hashes.sort { $0.hash < $1.hash }
        var found: [TraceID] = []
        var first = 0
        while first < hashes.count {
            let line = FilterTable.line(of: hashes[first].hash, lineBits: table.lineBits)
            let end =
                hashes[first...].firstIndex { FilterTable.line(of: $0.hash, lineBits: table.lineBits) != line }
                ?? hashes.count
            let row = try? filterRow(line, of: table)
            for (hash, index) in hashes[first..<end] {
                let mayHold = row?.withUnsafeBytes { FilterTable.mayHold(hash, in: $0, count: count) } ?? true
                if mayHold { found.append(ids[index]) }
            }
            first = end
        }
        return found
    }

    /// Which groups may hold a value of which this is the hash. Values are asked for too seldom twice to be kept.
    func groups(holding hash: UInt64) -> RowSet {
        groups(holding: hash, footer.valueFilters) { line, _ throws(StoreError) in
            try filterRow(line, of: footer.valueFilters)
        }
    }

    private func groups(
        holding hash: UInt64,
        _ table: FilterTable,
        read: (Int, Int) throws(StoreError) -> [UInt8]
    ) -> RowSet {
        let count = footer.groups.count
        guard count > 0 else { return RowSet(count: 0) }
        let line = FilterTable.line(of: hash, lineBits: table.lineBits)
        do throws(StoreError) {
            let row = try read(line, table.offset + line * FilterTable.rowByteCount(groups: count))
            return FilterTable.groups(holding: hash, in: row, count: count)
        } catch {
            return RowSet(count: count, all: true)
        }
    }
}
