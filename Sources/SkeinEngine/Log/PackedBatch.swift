// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel

/// The byte form of a ``SpanBatch`` in the log: its columns one after the other, integers as varints or deltas.
///
/// Cheap to write and direct to read back: about 85 bytes a span for 0.1 CPU seconds per million. Not meant to be small;
/// blocks are. `docs/format.md` draws it. Reading checks every count and reference, so that no bytes whatever trap.
package enum PackedBatch {
    /// The columns that are optional in a batch and present in the bytes when their bit is set.
    struct Present: OptionSet {
        let rawValue: UInt8
        static let flags = Present(rawValue: 1)
        static let statusMessages = Present(rawValue: 2)
        static let traceStates = Present(rawValue: 4)
        static let droppedCounts = Present(rawValue: 8)
        static let weights = Present(rawValue: 16)
        static let marks = Present(rawValue: 32)
        static let events = Present(rawValue: 64)
        static let links = Present(rawValue: 128)
    }

    /// How far back a row looks for a row with the same trace id.
    static let traceDistanceMax = 8
}

// MARK: Writing

extension PackedBatch {
    /// Appends the byte form of `batch`.
    package static func append(_ batch: SpanBatch, to out: inout ByteWriter) {
        out.appendVarint(UInt64(batch.count))
        out.appendLittleEndian(batch.receivedUnixNanos)
        append(dictionary: batch.dictionary, to: &out)
        append(resources: batch.resources, to: &out)
        append(scopes: batch.scopes, to: &out)

        var present: Present = []
        if !batch.flags.isEmpty { present.insert(.flags) }
        if !batch.statusMessageRefs.isEmpty { present.insert(.statusMessages) }
        if !batch.traceStateRefs.isEmpty { present.insert(.traceStates) }
        let hasDroppedCounts =
            !(batch.droppedAttributesCounts.isEmpty && batch.droppedEventsCounts.isEmpty
            && batch.droppedLinksCounts.isEmpty)
        if hasDroppedCounts { present.insert(.droppedCounts) }
        if !batch.weights.isEmpty { present.insert(.weights) }
        if !batch.marks.isEmpty { present.insert(.marks) }
        if !batch.events.nameRefs.isEmpty { present.insert(.events) }
        if !batch.links.spanIDs.isEmpty { present.insert(.links) }
        out.append(present.rawValue)

        append(traceIDs: batch.traceIDs, to: &out)
        append(spanIDs: batch.spanIDs, to: &out)
        append(parents: batch.parentSpanIDs, to: &out)
        append(deltas: batch.startUnixNanos, to: &out)
        append(varints: batch.durationNanos, to: &out)
        append(bytes: batch.kinds, to: &out)
        append(bytes: batch.statusCodes, to: &out)
        append(varints: batch.nameRefs, to: &out)
        append(varints: batch.resourceRows, to: &out)
        append(varints: batch.scopeRows, to: &out)
        append(attributes: batch.attributes, owners: batch.count, to: &out)

        if present.contains(.flags) { append(varints: batch.flags, to: &out) }
        if present.contains(.statusMessages) { append(varints: batch.statusMessageRefs, to: &out) }
        if present.contains(.traceStates) { append(varints: batch.traceStateRefs, to: &out) }
        if present.contains(.droppedCounts) {
            append(optional: batch.droppedAttributesCounts, rows: batch.count, to: &out)
            append(optional: batch.droppedEventsCounts, rows: batch.count, to: &out)
            append(optional: batch.droppedLinksCounts, rows: batch.count, to: &out)
        }
        if present.contains(.weights) { for weight in batch.weights { out.appendLittleEndian(weight.bitPattern) } }
        if present.contains(.marks) { for marks in batch.marks { out.append(marks.rawValue) } }
        if present.contains(.events) { append(events: batch.events, to: &out) }
        if present.contains(.links) { append(links: batch.links, to: &out) }
    }

    private static func append(dictionary: ByteDictionary, to out: inout ByteWriter) {
        out.appendVarint(UInt64(dictionary.count))
        dictionary.offsets.withUnsafeBufferPointer { offsets in
            out.write(atMost: offsets.count * 5) { base in
                var at = 0
                for entry in 1..<offsets.count {
                    at &+= UnsafeMutableRawPointer.storeVarint(
                        UInt64(offsets[entry] &- offsets[entry &- 1]),
                        at: base + at
                    )
                }
                return at
            }
        }
        dictionary.bytes.withUnsafeBytes { out.append($0) }
    }

    private static func append(resources: SpanBatch.ResourceTable, to out: inout ByteWriter) {
        out.appendVarint(UInt64(resources.count))
        append(varints: resources.serviceNameRefs, to: &out)
        append(varints: resources.schemaURLRefs, to: &out)
        append(varints: resources.droppedAttributesCounts, to: &out)
        append(attributes: resources.attributes, owners: resources.count, to: &out)
    }

    private static func append(scopes: SpanBatch.ScopeTable, to out: inout ByteWriter) {
        out.appendVarint(UInt64(scopes.count))
        append(varints: scopes.nameRefs, to: &out)
        append(varints: scopes.versionRefs, to: &out)
        append(varints: scopes.schemaURLRefs, to: &out)
        append(varints: scopes.droppedAttributesCounts, to: &out)
        append(attributes: scopes.attributes, owners: scopes.count, to: &out)
    }

    private static func append(events: SpanBatch.EventTable, to out: inout ByteWriter) {
        append(counts: events.ends, to: &out)
        append(deltas: events.timeUnixNanos, to: &out)
        append(varints: events.nameRefs, to: &out)
        append(optional: events.droppedAttributesCounts, rows: events.nameRefs.count, to: &out)
        append(attributes: events.attributes, owners: events.nameRefs.count, to: &out)
    }

    private static func append(links: SpanBatch.LinkTable, to out: inout ByteWriter) {
        append(counts: links.ends, to: &out)
        for id in links.traceIDs {
            out.appendLittleEndian(id.high)
            out.appendLittleEndian(id.low)
        }
        for id in links.spanIDs { out.appendLittleEndian(id.rawValue) }
        append(optional: links.traceStateRefs, rows: links.spanIDs.count, to: &out)
        append(optional: links.flags, rows: links.spanIDs.count, to: &out)
        append(optional: links.droppedAttributesCounts, rows: links.spanIDs.count, to: &out)
        append(attributes: links.attributes, owners: links.spanIDs.count, to: &out)
    }

    /// A byte that is 0 when no owner has a pair; else, by owner, the number of pairs, then all pairs.
    private static func append(
        attributes: SpanBatch.AttributeTable,
        owners: Int,
        to out: inout ByteWriter
    ) {
        guard !attributes.keyRefs.isEmpty else { return out.append(0) }
        out.append(1)
        append(counts: attributes.ends, to: &out)
        attributes.keyRefs.withUnsafeBufferPointer { keys in
            attributes.valueRefs.withUnsafeBufferPointer { values in
                out.write(atMost: keys.count * 10) { base in
                    var at = 0
                    for pair in 0..<keys.count {
                        at &+= UnsafeMutableRawPointer.storeVarint(UInt64(keys[pair]), at: base + at)
                        at &+= UnsafeMutableRawPointer.storeVarint(UInt64(values[pair]), at: base + at)
                    }
                    return at
                }
            }
        }
    }

    /// The differences of ascending ends.
    private static func append(counts ends: [UInt32], to out: inout ByteWriter) {
        ends.withUnsafeBufferPointer { ends in
            out.write(atMost: ends.count * 5) { base in
                var at = 0
                var before: UInt32 = 0
                for end in ends {
                    at &+= UnsafeMutableRawPointer.storeVarint(UInt64(end &- before), at: base + at)
                    before = end
                }
                return at
            }
        }
    }

    /// By row, 0 and the id, or the distance to a row before that has the same id.
    private static func append(traceIDs: [TraceID], to out: inout ByteWriter) {
        traceIDs.withUnsafeBufferPointer { ids in
            out.write(atMost: ids.count * 17) { base in
                var at = 0
                for row in 0..<ids.count {
                    let id = ids[row]
                    var distance = 1
                    while distance <= traceDistanceMax, distance <= row, ids[row &- distance] != id { distance &+= 1 }
                    if distance <= traceDistanceMax, distance <= row {
                        base.storeBytes(of: UInt8(truncatingIfNeeded: distance), toByteOffset: at, as: UInt8.self)
                        at &+= 1
                    } else {
                        base.storeBytes(of: 0, toByteOffset: at, as: UInt8.self)
                        base.storeBytes(of: id.high.littleEndian, toByteOffset: at &+ 1, as: UInt64.self)
                        base.storeBytes(of: id.low.littleEndian, toByteOffset: at &+ 9, as: UInt64.self)
                        at &+= 17
                    }
                }
                return at
            }
        }
    }

    private static func append(spanIDs: [SpanID], to out: inout ByteWriter) {
        spanIDs.withUnsafeBufferPointer { ids in
            out.write(atMost: ids.count * 8) { base in
                for row in 0..<ids.count {
                    base.storeBytes(of: ids[row].rawValue.littleEndian, toByteOffset: row &* 8, as: UInt64.self)
                }
                return ids.count &* 8
            }
        }
    }

    /// A bitmap of rows that have a parent, least bit first, then the ids of those.
    private static func append(parents: [SpanID], to out: inout ByteWriter) {
        parents.withUnsafeBufferPointer { ids in
            let bitmapCount = (ids.count + 7) / 8
            out.write(atMost: bitmapCount + ids.count * 8) { base in
                for byte in 0..<bitmapCount { base.storeBytes(of: 0, toByteOffset: byte, as: UInt8.self) }
                var at = bitmapCount
                for row in 0..<ids.count where ids[row].rawValue != 0 {
                    let bits = base.load(fromByteOffset: row &>> 3, as: UInt8.self) | 1 &<< UInt8(row & 7)
                    base.storeBytes(of: bits, toByteOffset: row &>> 3, as: UInt8.self)
                    base.storeBytes(of: ids[row].rawValue.littleEndian, toByteOffset: at, as: UInt64.self)
                    at &+= 8
                }
                return at
            }
        }
    }

    /// Zig-zag differences to the row before.
    private static func append(deltas numbers: [UInt64], to out: inout ByteWriter) {
        numbers.withUnsafeBufferPointer { numbers in
            out.write(atMost: numbers.count * 10) { base in
                var at = 0
                var before: UInt64 = 0
                for number in numbers {
                    let delta = Int64(bitPattern: number &- before)
                    at &+= UnsafeMutableRawPointer.storeVarint(delta.zigZagEncoded, at: base + at)
                    before = number
                }
                return at
            }
        }
    }

    private static func append(varints numbers: [UInt64], to out: inout ByteWriter) {
        numbers.withUnsafeBufferPointer { numbers in
            out.write(atMost: numbers.count * 10) { base in
                var at = 0
                for number in numbers { at &+= UnsafeMutableRawPointer.storeVarint(number, at: base + at) }
                return at
            }
        }
    }

    private static func append(varints numbers: [UInt32], to out: inout ByteWriter) {
        numbers.withUnsafeBufferPointer { numbers in
            out.write(atMost: numbers.count * 5) { base in
                var at = 0
                for number in numbers { at &+= UnsafeMutableRawPointer.storeVarint(UInt64(number), at: base + at) }
                return at
            }
        }
    }

    /// A byte that is 0 for an empty column, then the column.
    private static func append(optional column: [UInt32], rows: Int, to out: inout ByteWriter) {
        out.append(column.isEmpty ? 0 : 1)
        append(varints: column, to: &out)
    }

    private static func append(bytes: [UInt8], to out: inout ByteWriter) {
        bytes.withUnsafeBytes { out.append($0) }
    }
}

// MARK: Reading

extension PackedBatch {
    /// Why bytes are not a packed batch.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Reads a batch back; it must fill `bytes` exactly.
    package static func read(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> SpanBatch {
        var reader = ByteReader(bytes)
        do {
            let batch = try read(&reader)
            guard reader.isAtEnd else {
                throw Failure(description: "\(reader.remaining) bytes are left after the last column")
            }
            return batch
        } catch let error as ByteError {
            throw Failure(description: error.description)
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    private static func read(_ reader: inout ByteReader) throws -> SpanBatch {
        var batch = SpanBatch()
        // A row takes at least 18 bytes, so no count can ask for more memory than a small multiple of what was given.
        let rows = try readCount(&reader, bytesEach: 18)
        batch.receivedUnixNanos = try reader.readLittleEndian(UInt64.self)
        batch.dictionary = try readDictionary(&reader)
        let entries = UInt32(batch.dictionary.count)
        batch.resources = try readResources(&reader, entries)
        batch.scopes = try readScopes(&reader, entries)
        let present = Present(rawValue: try reader.readByte())

        batch.traceIDs = try readTraceIDs(&reader, rows)
        batch.spanIDs = try readWords(&reader, rows).map { SpanID($0) }
        batch.parentSpanIDs = try readParents(&reader, rows)
        batch.startUnixNanos = try readDeltas(&reader, rows)
        batch.durationNanos = try readNumbers(&reader, rows)
        batch.kinds = [UInt8](try reader.read(rows))
        batch.statusCodes = [UInt8](try reader.read(rows))
        batch.nameRefs = try readNumbers(&reader, rows, below: entries)
        batch.resourceRows = try readNumbers(&reader, rows, below: UInt32(batch.resources.count))
        batch.scopeRows = try readNumbers(&reader, rows, below: UInt32(batch.scopes.count))
        batch.attributes = try readAttributes(&reader, owners: rows, entries)

        if present.contains(.flags) { batch.flags = try readNumbers(&reader, rows, below: nil) }
        if present.contains(.statusMessages) {
            batch.statusMessageRefs = try readNumbers(&reader, rows, below: entries)
        }
        if present.contains(.traceStates) { batch.traceStateRefs = try readNumbers(&reader, rows, below: entries) }
        if present.contains(.droppedCounts) {
            batch.droppedAttributesCounts = try readOptional(&reader, rows, below: nil)
            batch.droppedEventsCounts = try readOptional(&reader, rows, below: nil)
            batch.droppedLinksCounts = try readOptional(&reader, rows, below: nil)
        }
        if present.contains(.weights) {
            batch.weights = try readWords(&reader, rows).map { Double(bitPattern: $0) }
        }
        if present.contains(.marks) { batch.marks = try reader.read(rows).map { SpanBatch.Marks(rawValue: $0) } }
        if present.contains(.events) { batch.events = try readEvents(&reader, rows, entries) }
        if present.contains(.links) { batch.links = try readLinks(&reader, rows, entries) }
        return batch
    }

    /// A count of things that take at least `bytesEach` bytes of what is left.
    private static func readCount(_ reader: inout ByteReader, bytesEach: Int) throws -> Int {
        let count = try reader.readVarint()
        guard count <= UInt64(reader.remaining / bytesEach) else {
            throw Failure(description: "a count of \(count) at offset \(reader.position) is more than the bytes hold")
        }
        return Int(count)
    }

    private static func readDictionary(_ reader: inout ByteReader) throws -> ByteDictionary {
        let entries = try readCount(&reader, bytesEach: 1)
        guard entries >= 1 else { throw Failure(description: "the dictionary lacks its empty entry") }
        let offsets = try readEnds(&reader, entries)
        guard offsets[0] == 0 else { throw Failure(description: "the dictionary's first entry is not empty") }
        return ByteDictionary(offsets: [0] + offsets, bytes: [UInt8](try reader.read(Int(offsets[entries - 1]))))
    }

    private static func readResources(
        _ reader: inout ByteReader,
        _ entries: UInt32
    ) throws -> SpanBatch.ResourceTable {
        let rows = try readCount(&reader, bytesEach: 3)
        var table = SpanBatch.ResourceTable()
        table.serviceNameRefs = try readNumbers(&reader, rows, below: entries)
        table.schemaURLRefs = try readNumbers(&reader, rows, below: entries)
        table.droppedAttributesCounts = try readNumbers(&reader, rows, below: nil)
        table.attributes = try readAttributes(&reader, owners: rows, entries)
        return table
    }

    private static func readScopes(_ reader: inout ByteReader, _ entries: UInt32) throws -> SpanBatch.ScopeTable {
        let rows = try readCount(&reader, bytesEach: 4)
        var table = SpanBatch.ScopeTable()
        table.nameRefs = try readNumbers(&reader, rows, below: entries)
        table.versionRefs = try readNumbers(&reader, rows, below: entries)
        table.schemaURLRefs = try readNumbers(&reader, rows, below: entries)
        table.droppedAttributesCounts = try readNumbers(&reader, rows, below: nil)
        table.attributes = try readAttributes(&reader, owners: rows, entries)
        return table
    }

    private static func readEvents(
        _ reader: inout ByteReader,
        _ rows: Int,
        _ entries: UInt32
    ) throws -> SpanBatch.EventTable {
        var table = SpanBatch.EventTable()
        table.ends = try readEnds(&reader, rows)
        let count = Int(table.ends.last ?? 0)
        table.timeUnixNanos = try readDeltas(&reader, count)
        table.nameRefs = try readNumbers(&reader, count, below: entries)
        table.droppedAttributesCounts = try readOptional(&reader, count, below: nil)
        table.attributes = try readAttributes(&reader, owners: count, entries)
        return table
    }

    private static func readLinks(
        _ reader: inout ByteReader,
        _ rows: Int,
        _ entries: UInt32
    ) throws -> SpanBatch.LinkTable {
        var table = SpanBatch.LinkTable()
        table.ends = try readEnds(&reader, rows)
        let count = Int(table.ends.last ?? 0)
        let words = try readWords(&reader, count * 2)
        table.traceIDs = (0..<count).map { TraceID(high: words[$0 * 2], low: words[$0 * 2 + 1]) }
        table.spanIDs = try readWords(&reader, count).map { SpanID($0) }
        table.traceStateRefs = try readOptional(&reader, count, below: entries)
        table.flags = try readOptional(&reader, count, below: nil)
        table.droppedAttributesCounts = try readOptional(&reader, count, below: nil)
        table.attributes = try readAttributes(&reader, owners: count, entries)
        return table
    }

    private static func readAttributes(
        _ reader: inout ByteReader,
        owners: Int,
        _ entries: UInt32
    ) throws -> SpanBatch.AttributeTable {
        var table = SpanBatch.AttributeTable()
        guard try reader.readByte() != 0 else { return table }
        table.ends = try readEnds(&reader, owners)
        let count = Int(table.ends.last ?? 0)
        table.keyRefs.reserveCapacity(count)
        table.valueRefs.reserveCapacity(count)
        for _ in 0..<count {
            table.keyRefs.append(try readNumber(&reader, below: entries))
            table.valueRefs.append(try readNumber(&reader, below: entries))
        }
        return table
    }

    /// Running sums of `rows` varints. The last, which counts things of at least a byte each, is at most what is left.
    private static func readEnds(_ reader: inout ByteReader, _ rows: Int) throws -> [UInt32] {
        var ends: [UInt32] = []
        ends.reserveCapacity(rows)
        var end: UInt64 = 0
        for _ in 0..<rows {
            let count = try reader.readVarint()
            guard count <= UInt64(UInt32.max), end &+ count <= UInt64(UInt32.max) else {
                throw Failure(description: "counts overflow at offset \(reader.position)")
            }
            end &+= count
            ends.append(UInt32(end))
        }
        guard end <= UInt64(reader.remaining) else {
            throw Failure(description: "counts add up to \(end), but \(reader.remaining) bytes are left")
        }
        return ends
    }

    private static func readTraceIDs(_ reader: inout ByteReader, _ rows: Int) throws -> [TraceID] {
        var ids: [TraceID] = []
        ids.reserveCapacity(rows)
        for row in 0..<rows {
            let distance = Int(try reader.readByte())
            if distance == 0 {
                let high = try reader.readLittleEndian(UInt64.self)
                ids.append(TraceID(high: high, low: try reader.readLittleEndian(UInt64.self)))
            } else {
                guard distance <= row else { throw Failure(description: "a trace id points before the first row") }
                ids.append(ids[row - distance])
            }
        }
        return ids
    }

    private static func readParents(_ reader: inout ByteReader, _ rows: Int) throws -> [SpanID] {
        let bitmap = try reader.read((rows + 7) / 8)
        var ids: [SpanID] = []
        ids.reserveCapacity(rows)
        for row in 0..<rows {
            let isSet = bitmap[row / 8] &>> UInt8(row % 8) & 1 != 0
            ids.append(isSet ? SpanID(try reader.readLittleEndian(UInt64.self)) : .zero)
        }
        return ids
    }

    private static func readWords(_ reader: inout ByteReader, _ count: Int) throws -> [UInt64] {
        let (size, overflow) = count.multipliedReportingOverflow(by: 8)
        guard !overflow, size <= reader.remaining else {
            throw Failure(description: "a column of \(count) words is longer than what is left")
        }
        var words: [UInt64] = []
        words.reserveCapacity(count)
        for _ in 0..<count { words.append(try reader.readLittleEndian(UInt64.self)) }
        return words
    }

    private static func readDeltas(_ reader: inout ByteReader, _ rows: Int) throws -> [UInt64] {
        var numbers: [UInt64] = []
        numbers.reserveCapacity(rows)
        var before: UInt64 = 0
        for _ in 0..<rows {
            before = before &+ UInt64(bitPattern: try reader.readVarint().zigZagDecoded)
            numbers.append(before)
        }
        return numbers
    }

    private static func readNumbers(_ reader: inout ByteReader, _ rows: Int) throws -> [UInt64] {
        var numbers: [UInt64] = []
        numbers.reserveCapacity(rows)
        for _ in 0..<rows { numbers.append(try reader.readVarint()) }
        return numbers
    }

    private static func readNumbers(_ reader: inout ByteReader, _ rows: Int, below limit: UInt32?) throws -> [UInt32] {
        var numbers: [UInt32] = []
        numbers.reserveCapacity(rows)
        for _ in 0..<rows { numbers.append(try readNumber(&reader, below: limit)) }
        return numbers
    }

    private static func readOptional(_ reader: inout ByteReader, _ rows: Int, below limit: UInt32?) throws -> [UInt32] {
        try reader.readByte() == 0 ? [] : readNumbers(&reader, rows, below: limit)
    }

    @inline(__always)
    private static func readNumber(_ reader: inout ByteReader, below limit: UInt32?) throws -> UInt32 {
        let number = try reader.readVarint()
        guard number < limit.map(UInt64.init) ?? (UInt64(UInt32.max) + 1) else {
            throw Failure(description: "a reference of \(number) at offset \(reader.position) points past its table")
        }
        return UInt32(truncatingIfNeeded: number)
    }
}
