// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
import SkeinModel

// `docs/format.md` draws these bytes. Packing and checksums are around them.

extension Rollup.Table {
    package func append(to out: inout ByteWriter) {
        for names in [services, operations] {
            out.appendVarint(UInt64(names.count - 1))
            for name in names.dropFirst() {
                out.appendVarint(UInt64(name.utf8.count))
                out.append(utf8: name)
            }
        }
        out.appendVarint(UInt64(series.count))
        for series in series {
            out.append(series.role << 6 | series.detail << 3 | series.status)
            out.appendVarint(UInt64(series.first))
            out.appendVarint(UInt64(series.second))
        }
    }

    /// Reads what `append(to:)` wrote. Throws for anything that it could not have written.
    package init(_ reader: inout ByteReader) throws(ByteError) {
        self.init()
        services += try Self.names(&reader)
        operations += try Self.names(&reader)
        let count = try Self.count(&reader, least: 3)
        series.reserveCapacity(count)
        for _ in 0..<count {
            let at = reader.position
            let byte = try reader.readByte()
            let (first, second) = (try reader.readVarint(), try reader.readVarint())
            guard let role = Rollup.Role(rawValue: byte >> 6) else { throw ByteError(.invalid, at: at) }
            let isBetweenServices = role == .serverSide || role == .clientSide
            let secondCount = isBetweenServices ? services.count : operations.count
            let detailMax = role == .operation ? Span.Kind.consumer.rawValue : ConnectionType.virtualNode.rawValue
            guard first < services.count, second < secondCount, byte >> 3 & 7 <= detailMax,
                Span.Status.Code(rawValue: byte & 7) != nil
            else { throw ByteError(.invalid, at: at) }
            series.append(
                Rollup.Series(
                    role: role,
                    first: UInt32(first),
                    second: UInt32(second),
                    detail: byte >> 3 & 7,
                    status: byte & 7
                )
            )
        }
    }

    private static func names(_ reader: inout ByteReader) throws(ByteError) -> [String] {
        let count = try count(&reader, least: 1)
        var names: [String] = []
        names.reserveCapacity(count)
        for _ in 0..<count {
            let at = reader.position
            let bytes = try reader.readLengthPrefixed()
            guard UTF8Text.isValid(bytes) else { throw ByteError(.invalid, at: at) }
            names.append(String(decoding: bytes, as: UTF8.self))
        }
        return names
    }

    /// A count of things that take at least `least` bytes each.
    fileprivate static func count(_ reader: inout ByteReader, least: Int) throws(ByteError) -> Int {
        let at = reader.position
        let count = try reader.readVarint()
        guard count <= UInt64(reader.remaining / least), count < 1 << 28 else { throw ByteError(.truncated, at: at) }
        return Int(count)
    }
}

extension Rollup.Cells {
    /// Appends cells `range`, column after column.
    package func append(_ range: Range<Int>, to out: inout ByteWriter) {
        out.appendVarint(UInt64(range.count))
        var before: UInt64 = 0
        for cell in range {
            out.appendVarint(minutes[cell] - before)
            before = minutes[cell]
        }
        for cell in range { out.appendVarint(UInt64(series[cell])) }
        for cell in range { out.append(units: Int128(units[cell])) }
        for cell in range { out.append(units: unitNanos[cell]) }
        for cell in range { out.appendVarint(UInt64(buckets(of: cell).count)) }
        for cell in range {
            var before: UInt16 = 0
            for bucket in buckets(of: cell) {
                out.appendVarint(UInt64(bucketNumbers[bucket] - before))
                before = bucketNumbers[bucket]
            }
        }
        for cell in range { for bucket in buckets(of: cell) { out.append(units: Int128(bucketUnits[bucket])) } }
        for cell in range { out.appendVarint(exemplars[cell].durationNanos) }
        for cell in range {
            out.appendLittleEndian(exemplars[cell].traceID.high.bigEndian)
            out.appendLittleEndian(exemplars[cell].traceID.low.bigEndian)
        }
    }

    /// Reads what `append(_:to:)` wrote, for a table of `seriesCount` series.
    package init(_ reader: inout ByteReader, seriesCount: Int) throws(ByteError) {
        self.init()
        // Minute, series, units, nanoseconds, buckets, duration take a byte each at least, the trace id sixteen.
        let count = try Rollup.Table.count(&reader, least: 22)
        minutes.reserveCapacity(count)
        var minute: UInt64 = 0
        for _ in 0..<count {
            let at = reader.position
            let (next, overflow) = minute.addingReportingOverflow(try reader.readVarint())
            guard !overflow, next <= UInt64.max / RollupGrid.minuteNanos else { throw ByteError(.invalid, at: at) }
            minutes.append(next)
            minute = next
        }
        for cell in 0..<count {
            let at = reader.position
            let number = try reader.readVarint()
            guard number < seriesCount,
                cell == 0 || minutes[cell] > minutes[cell - 1] || number > series[cell - 1]
            else { throw ByteError(.invalid, at: at) }
            series.append(UInt32(number))
        }
        for _ in 0..<count { units.append(try reader.readUnits64()) }
        for _ in 0..<count { unitNanos.append(try reader.readUnits()) }
        var end: UInt64 = 0
        for _ in 0..<count {
            let at = reader.position
            let buckets = try reader.readVarint()
            guard buckets <= DurationBucket.count, end + buckets <= UInt64(reader.remaining) else {
                throw ByteError(.invalid, at: at)
            }
            end += buckets
            bucketEnds.append(UInt32(end))
        }
        for cell in 0..<count {
            var before: UInt64 = 0
            for place in buckets(of: cell) {
                let at = reader.position
                let step = try reader.readVarint()
                let isFirst = place == buckets(of: cell).lowerBound
                guard step < DurationBucket.count, before + step < DurationBucket.count, isFirst || step > 0 else {
                    throw ByteError(.invalid, at: at)
                }
                before += step
                bucketNumbers.append(UInt16(before))
            }
        }
        for _ in 0..<bucketNumbers.count { bucketUnits.append(try reader.readUnits64()) }
        var durations: [UInt64] = []
        for _ in 0..<count { durations.append(try reader.readVarint()) }
        for cell in 0..<count {
            let high = try reader.readBigEndian(UInt64.self)
            let low = try reader.readBigEndian(UInt64.self)
            exemplars.append(.init(traceID: TraceID(high: high, low: low), durationNanos: durations[cell]))
        }
    }
}

// A sum in units of 1/65,536 span is mostly a multiple of 65,536, since spans mostly weigh 1. Bit 0 of the first byte says
// that only the number of multiples is written; bits 1 to 6, and seven bits of each byte that follows, are the zig-zag
// form from the lowest bit on; bit 7 of a byte says that another follows.

extension ByteWriter {
    fileprivate mutating func append(units: Int128) {
        let isWhole = units & 0xffff == 0
        let number = isWhole ? units >> 16 : units
        let zigZag = UInt128(truncatingIfNeeded: number &<< 1 ^ number >> 127)
        var rest = zigZag >> 6
        append(UInt8(truncatingIfNeeded: zigZag & 0x3f) << 1 | (isWhole ? 1 : 0) | (rest != 0 ? 0x80 : 0))
        while rest != 0 {
            append(UInt8(truncatingIfNeeded: rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0))
            rest >>= 7
        }
    }
}

extension ByteReader {
    fileprivate mutating func readUnits() throws(ByteError) -> Int128 {
        let at = position
        var byte = try readByte()
        let isWhole = byte & 1 == 1
        var zigZag = UInt128(byte >> 1 & 0x3f)
        var shift: UInt128 = 6
        while byte >= 0x80 {
            byte = try readByte()
            // The last byte that can be holds bits 125 to 127.
            guard shift < 125 || byte < 8 else { throw ByteError(.varintOverflow, at: at) }
            zigZag |= UInt128(byte & 0x7f) &<< shift
            shift += 7
        }
        let number = Int128(truncatingIfNeeded: zigZag >> 1) ^ -Int128(truncatingIfNeeded: zigZag & 1)
        return isWhole ? number &<< 16 : number
    }

    fileprivate mutating func readUnits64() throws(ByteError) -> Int64 {
        let at = position
        guard let units = Int64(exactly: try readUnits()) else { throw ByteError(.varintOverflow, at: at) }
        return units
    }
}
