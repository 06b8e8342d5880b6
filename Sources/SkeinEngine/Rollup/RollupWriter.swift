// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinCompression
import SkeinStore

/// Writes a rollup file: give it cells minute after minute, then ``finish(table:received:)``.
///
/// Memory is that of a chunk, of an hour's cells and of one cell for each series.
struct RollupWriter: ~Copyable {
    private let sink: BlockEncoder.Sink
    private let keepsMinutes: Bool
    private let compressor = ZstdCompressor(level: 3)
    private var offset = 0
    private var footer = RollupFooter()
    /// Not yet written.
    private var minutes = Rollup.Cells()
    private var hours = Rollup.Cells()
    private var hour = CellTable()
    private var hourNumber: UInt64?
    private var hourCount = 0
    private var total = CellTable()
    /// By number, the same number.
    private var sameSeries: [UInt32] = []

    /// - Parameter keepsMinutes: Whether the file has cells of minutes, or hours only.
    init(keepsMinutes: Bool, sink: @escaping BlockEncoder.Sink) throws(StoreError) {
        self.keepsMinutes = keepsMinutes
        self.sink = sink
        var header = ByteWriter()
        for byte in RollupFormat.magic { header.append(byte) }
        header.appendLittleEndian(RollupFormat.version)
        header.appendLittleEndian(UInt32(0))
        try write(header.bytes)
    }

    /// Appends cells whose minutes all lie behind those appended before.
    mutating func append(_ cells: Rollup.Cells) throws(StoreError) {
        let seriesCount = (cells.series.max().map { Int($0) + 1 } ?? 0)
        while sameSeries.count < seriesCount { sameSeries.append(UInt32(sameSeries.count)) }
        var first = 0
        while first < cells.count {
            var end = first + 1
            while end < cells.count, cells.minutes[end] == cells.minutes[first] { end += 1 }
            let number = cells.minutes[first] / 60
            if hourNumber != number { try finishHour(next: number) }
            hour.add(cells, first..<end, series: sameSeries) { _ in number * 60 }
            total.add(cells, first..<end, series: sameSeries) { _ in 0 }
            if keepsMinutes { minutes.append(cells, first..<end) }
            if minutes.count >= RollupFormat.chunkCellCount { try flushMinutes() }
            first = end
        }
    }

    /// Writes what is left and says what the file holds. `table` has the series that cells spoke of.
    consuming func finish(table: Rollup.Table, received: ClosedRange<UInt64>) throws(StoreError) {
        try finishHour(next: nil)
        // The total of one minute, or hour, is what is there of it; beside minutes, hours are of use from the second on.
        let isOneMinute = footer.minutes.isEmpty && minutes.minutes.first == minutes.minutes.last
        try flushMinutes()
        if hourCount > 1 || !keepsMinutes { try flushHours() }
        let cells = total.take()
        if !cells.isEmpty {
            let isOne = keepsMinutes ? isOneMinute : hourCount == 1
            footer.total = isOne ? footer.finest.first?.address : try writeChunk(cells)
        }
        var bytes = ByteWriter()
        table.append(to: &bytes)
        footer.table = try writeChunk(bytes.bytes)
        footer.receivedMin = received.lowerBound
        footer.receivedMax = received.upperBound
        bytes.removeAll()
        footer.append(to: &bytes)
        let address = try writeChunk(bytes.bytes)
        var trailer = ByteWriter()
        trailer.appendLittleEndian(UInt64(address.offset))
        trailer.appendLittleEndian(UInt32(address.storedCount))
        trailer.appendLittleEndian(UInt32(address.rawCount))
        trailer.appendLittleEndian(address.checksum)
        trailer.appendLittleEndian(RollupFormat.version)
        trailer.appendLittleEndian(UInt32(0))
        trailer.appendLittleEndian(Checksum.of(trailer.bytes))
        for byte in RollupFormat.magic { trailer.append(byte) }
        try write(trailer.bytes)
    }

    private mutating func finishHour(next: UInt64?) throws(StoreError) {
        if hourNumber != nil {
            let cells = hour.take()
            hours.append(cells, 0..<cells.count)
            hourCount += 1
            // The first hour waits, for it may stay the only one.
            if hourCount > 1, hours.count >= RollupFormat.chunkCellCount { try flushHours() }
        }
        hourNumber = next
    }

    private mutating func flushMinutes() throws(StoreError) {
        if let part = try writePart(minutes) { footer.minutes.append(part) }
        minutes = Rollup.Cells()
    }

    private mutating func flushHours() throws(StoreError) {
        if let part = try writePart(hours) { footer.hours.append(part) }
        hours = Rollup.Cells()
    }

    private mutating func writePart(_ cells: Rollup.Cells) throws(StoreError) -> RollupFooter.Part? {
        guard let first = cells.minutes.first, let last = cells.minutes.last else { return nil }
        return RollupFooter.Part(first: first, last: last, address: try writeChunk(cells))
    }

    private mutating func writeChunk(_ cells: Rollup.Cells) throws(StoreError) -> ChunkAddress {
        var bytes = ByteWriter()
        cells.append(0..<cells.count, to: &bytes)
        return try writeChunk(bytes.bytes)
    }

    private mutating func writeChunk(_ raw: UnsafeRawBufferPointer) throws(StoreError) -> ChunkAddress {
        let packed = compressor.compress(raw)
        var address = ChunkAddress()
        address.offset = offset
        address.rawCount = raw.count
        if BlockFormat.packs, packed.count < raw.count {
            address.storedCount = packed.count
            address.checksum = Checksum.of(packed)
            try packed.withUnsafeBufferPointer { bytes throws(StoreError) in try write(UnsafeRawBufferPointer(bytes)) }
        } else {
            address.storedCount = raw.count
            address.checksum = Checksum.of(raw)
            try write(raw)
        }
        return address
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        try sink(bytes)
        offset += bytes.count
    }
}
