// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Unpacks DEFLATE (RFC 1951) as it comes, with a window of 32 KiB.
struct InflateStream: ~Copyable {
    private enum Phase {
        case blockHeader
        case stored(Int)
        case codes
        case end
    }

    /// A header with tables takes at most 14 + 19 × 3 + 320 × 14 bits.
    private static let blockHeaderBytesMax = 580
    /// A length with its distance takes at most 15 + 5 + 15 + 13 bits.
    private static let symbolBitsMax = 48
    private static let windowBytes = 32 << 10

    private var phase = Phase.blockHeader
    private var isLastBlock = false
    /// The next bits of the data, the first one lowest.
    private var bits: UInt64 = 0
    private var bitCount = 0
    /// What was unpacked last; as far back as distances go.
    private var window = ByteWriter(capacity: 4 * Self.windowBytes)
    private var literals = HuffmanTable()
    private var distances = HuffmanTable()

    /// Starts anew.
    mutating func begin() {
        phase = .blockHeader
        isLastBlock = false
        (bits, bitCount) = (0, 0)
        window.removeAll()
    }

    /// Appends what the bytes from `at` on unpack to, until `out` has `end` bytes or a few more, or the data take more bytes.
    /// Whether the data ended; then `at` is the first byte behind them.
    mutating func unpack(
        _ bytes: UnsafeRawBufferPointer,
        from at: inout Int,
        isLast: Bool,
        into out: inout ByteWriter,
        upTo end: Int
    ) throws(CompressionError) -> Bool {
        // Whole bytes that were taken too early go back, since the bits outlive `bytes`.
        defer { giveBack(&at) }
        while out.count < end {
            switch phase {
            case .blockHeader:
                guard isLast || bytes.count - at >= Self.blockHeaderBytesMax else { return false }
                try readBlockHeader(bytes, &at)
            case .stored(let left):
                let count = min(left, bytes.count - at, end - out.count)
                let part = UnsafeRawBufferPointer(rebasing: bytes[at..<at + count])
                out.append(part)
                window.append(part)
                trimWindow()
                at += count
                phase = .stored(left - count)
                if left == count {
                    endBlock()
                } else if at == bytes.count {
                    guard !isLast else { throw Self.cutOff }
                    return false
                }
            case .codes:
                let start = window.count
                defer {
                    out.append(UnsafeRawBufferPointer(rebasing: window.bytes[start...]))
                    trimWindow()
                }
                if try readCodes(bytes, &at, isLast, atMost: end - out.count) { return false }
            case .end:
                giveBack(&at)
                // The rest of the last byte is padding.
                (bits, bitCount) = (0, 0)
                return true
            }
        }
        return false
    }

    private mutating func endBlock() { phase = isLastBlock ? .end : .blockHeader }

    private mutating func trimWindow() {
        if window.count > 3 * Self.windowBytes { window.removeFirst(window.count - Self.windowBytes) }
    }

    // MARK: Bits

    private mutating func refill(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) {
        while bitCount <= 56, at < bytes.count {
            bits |= UInt64(bytes[at]) << UInt64(bitCount)
            bitCount += 8
            at += 1
        }
    }

    private mutating func giveBack(_ at: inout Int) {
        at -= bitCount / 8
        bitCount %= 8
        bits &= (1 << UInt64(bitCount)) - 1
    }

    private mutating func take(
        _ count: Int,
        _ bytes: UnsafeRawBufferPointer,
        _ at: inout Int
    ) throws(CompressionError) -> Int {
        if bitCount < count { refill(bytes, &at) }
        guard bitCount >= count else { throw Self.cutOff }
        let value = bits & ((1 << UInt64(count)) - 1)
        bits >>= UInt64(count)
        bitCount -= count
        return Int(value)
    }

    private static var cutOff: CompressionError { CompressionError(.corrupt, "the gzip data is cut off") }
    private static var corrupt: CompressionError { CompressionError(.corrupt, "the gzip data does not unpack") }

    // MARK: Blocks

    /// RFC 1951 §3.2.3
    private mutating func readBlockHeader(
        _ bytes: UnsafeRawBufferPointer,
        _ at: inout Int
    ) throws(CompressionError) {
        isLastBlock = try take(1, bytes, &at) == 1
        switch try take(2, bytes, &at) {
        case 0:
            _ = try take(bitCount % 8, bytes, &at)
            let length = try take(16, bytes, &at)
            guard try take(16, bytes, &at) == length ^ 0xffff else { throw Self.corrupt }
            giveBack(&at)
            phase = .stored(length)
            if length == 0 { endBlock() }
        case 1:
            let lengths = (0..<288).map { UInt8($0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8) }
            guard literals.fill(lengths[...]), distances.fill([UInt8](repeating: 5, count: 32)[...]) else {
                throw Self.corrupt
            }
            phase = .codes
        case 2:
            try readTables(bytes, &at)
            phase = .codes
        default: throw Self.corrupt
        }
    }

    /// RFC 1951 §3.2.7
    private mutating func readTables(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) throws(CompressionError) {
        let literalCount = try take(5, bytes, &at) + 257
        let distanceCount = try take(5, bytes, &at) + 1
        let codeCount = try take(4, bytes, &at) + 4
        guard literalCount <= 286, distanceCount <= 30 else { throw Self.corrupt }
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var codeLengths = [UInt8](repeating: 0, count: 19)
        for code in order.prefix(codeCount) { codeLengths[code] = UInt8(try take(3, bytes, &at)) }
        guard distances.fill(codeLengths[...]) else { throw Self.corrupt }
        var lengths: [UInt8] = []
        while lengths.count < literalCount + distanceCount {
            refill(bytes, &at)
            let (symbol, width) = distances.symbol(bits)
            guard width > 0 else { throw Self.corrupt }
            _ = try take(width, bytes, &at)
            var value: UInt8 = 0
            var count = 1
            switch symbol {
            case 16:
                guard let last = lengths.last else { throw Self.corrupt }
                value = last
                count = try take(2, bytes, &at) + 3
            case 17: count = try take(3, bytes, &at) + 3
            case 18: count = try take(7, bytes, &at) + 11
            default: value = UInt8(symbol)
            }
            lengths += repeatElement(value, count: count)
        }
        guard lengths.count == literalCount + distanceCount, lengths[256] > 0,
            literals.fill(lengths[..<literalCount]), distances.fill(lengths[literalCount...])
        else { throw Self.corrupt }
    }

    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145,
        8193, 12289, 16385, 24577,
    ]

    /// Unpacks symbols (RFC 1951 §3.2.5) until there are `countMax` bytes or a few more, or the block ends. Whether it
    /// takes more bytes.
    private mutating func readCodes(
        _ bytes: UnsafeRawBufferPointer,
        _ at: inout Int,
        _ isLast: Bool,
        atMost countMax: Int
    ) throws(CompressionError) -> Bool {
        let end = window.count + min(countMax, Self.windowBytes)
        while window.count < end {
            if bitCount < Self.symbolBitsMax { refill(bytes, &at) }
            guard isLast || bitCount >= Self.symbolBitsMax else { return true }
            let (symbol, width) = literals.symbol(bits)
            guard width > 0 else { throw bitCount < 15 ? Self.cutOff : Self.corrupt }
            _ = try take(width, bytes, &at)
            if symbol < 256 {
                window.append(UInt8(truncatingIfNeeded: symbol))
                continue
            }
            guard symbol != 256 else {
                endBlock()
                return false
            }
            guard symbol - 257 < Self.lengthBases.count else { throw Self.corrupt }
            let length = Self.lengthBases[symbol - 257] + (try take(Self.lengthBits[symbol - 257], bytes, &at))
            let (code, codeWidth) = distances.symbol(bits)
            guard codeWidth > 0, code < Self.distanceBases.count else { throw Self.corrupt }
            _ = try take(codeWidth, bytes, &at)
            let distance = Self.distanceBases[code] + (try take(max(0, code / 2 - 1), bytes, &at))
            guard distance <= window.count else { throw Self.corrupt }
            copy(length, from: distance)
        }
        return false
    }

    /// Appends `length` bytes from `distance` before the end, which may be among those that are appended.
    private mutating func copy(_ length: Int, from distance: Int) {
        window.write(atMost: length) { target in
            // The source is in the window, as was checked, or has just been written.
            let source = target - distance
            for offset in 0..<length {
                target.storeBytes(
                    of: source.load(fromByteOffset: offset, as: UInt8.self),
                    toByteOffset: offset,
                    as: UInt8.self
                )
            }
            return length
        }
    }
}
