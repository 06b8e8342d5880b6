// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// Makes a table of filters: collects what each row group holds and writes the lines of all groups side by side.
struct FilterWriter: ~Copyable {
    private let bitsPerEntry: Int
    /// Of the group at hand.
    private var hashes = ColumnBuffer<UInt64>()
    /// The filters of all groups, one behind the other.
    private var lines = ByteWriter()
    private var groups: [(offset: Int, lineBits: Int)] = []

    /// A writer of filters with at least so many bits for each entry of a group, and less than twice as many.
    init(bitsPerEntry: Int) { self.bitsPerEntry = bitsPerEntry }

    /// Notes that the group at hand holds this. An entry noted twice takes the room of two.
    @inline(__always)
    mutating func add(_ hash: UInt64) { hashes.append(hash) }

    /// Ends the group at hand.
    mutating func finishGroup() {
        let lineBits = lineBits(of: hashes.count)
        let byteCount = FilterTable.lineByteCount << lineBits
        groups.append((lines.count, lineBits))
        lines.write(atMost: byteCount) { target in
            target.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            for index in 0..<hashes.count {
                let line = FilterTable.line(of: hashes[index], lineBits: lineBits)
                FilterTable.insert(hashes[index], in: target + line &* FilterTable.lineByteCount)
            }
            return byteCount
        }
        hashes.removeAll()
    }

    /// Adds a group of another block's table.
    mutating func append(copyOf group: Int, of source: GroupCopy.Filters) {
        let rowByteCount = source.rows.count >> source.lineBits
        groups.append((lines.count, source.lineBits))
        source.rows.withUnsafeBytes { rows in
            for line in 0..<(1 << source.lineBits) {
                let start = line * rowByteCount + group * FilterTable.lineByteCount
                lines.append(UnsafeRawBufferPointer(rebasing: rows[start..<(start + FilterTable.lineByteCount)]))
            }
        }
    }

    private func lineBits(of count: Int) -> Int {
        let lines = max(1, (count * bitsPerEntry + 511) / 512)
        return min(FilterTable.lineBitsMax, Int.bitWidth - (lines - 1).leadingZeroBitCount)
    }

    /// Writes the table, which begins at `offset` of the file.
    ///
    /// All filters get one size: that of the seven eighths of groups with the smallest ones. Larger ones are folded, and
    /// say "perhaps" more often; in smaller ones lines are repeated, which costs room only.
    mutating func finish(
        at offset: Int,
        to write: (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) -> FilterTable {
        guard !groups.isEmpty else { return FilterTable(offset: offset) }
        let sizes = groups.map(\.lineBits).sorted()
        let table = FilterTable(offset: offset, lineBits: sizes[(sizes.count - 1) * 7 / 8])
        var out = ByteWriter(capacity: 1 << 20)
        for line in 0..<table.lineCount {
            let start = out.count
            for group in groups { append(line, of: group, lineBits: table.lineBits, to: &out) }
            out.appendLittleEndian(Checksum.of(UnsafeRawBufferPointer(rebasing: out.bytes[start...])))
            if out.count >= 1 << 20 {
                try write(out.bytes)
                out.removeAll()
            }
        }
        try write(out.bytes)
        return table
    }

    private func append(
        _ line: Int,
        of group: (offset: Int, lineBits: Int),
        lineBits: Int,
        to out: inout ByteWriter
    ) {
        let count = FilterTable.lineByteCount
        guard group.lineBits > lineBits else {
            let first = group.offset + line >> (lineBits - group.lineBits) * count
            return out.append(UnsafeRawBufferPointer(rebasing: lines.bytes[first..<(first + count)]))
        }
        let folded = 1 << (group.lineBits - lineBits)
        let first = group.offset + line * folded * count
        out.write(atMost: count) { target in
            for word in stride(from: 0, to: count, by: 8) {
                var bits: UInt64 = 0
                for source in 0..<folded {
                    bits |= lines.bytes.unsafelyLoad(first + source * count + word, as: UInt64.self)
                }
                target.storeBytes(of: bits, toByteOffset: word, as: UInt64.self)
            }
            return count
        }
    }
}
