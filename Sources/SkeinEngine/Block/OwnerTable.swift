// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The block's table of resources, or of scopes: both are some texts, a count, and attributes.
///
/// Keeps the bytes, which were checked whole, and where each entry begins; an entry is taken apart when it is asked for. So
/// a table of a hundred thousand resources takes little more memory than its bytes.
struct OwnerTable: Sendable {
    let bytes: [UInt8]
    /// By entry, where its content begins.
    private let starts: [UInt32]
    private let textCount: Int

    /// A resource or a scope.
    struct Entry {
        /// Resource: service name, schema URL. Scope: name, version, schema URL.
        fileprivate(set) var texts = InlineArray<3, Range<Int>>(repeating: 0..<0)
        fileprivate(set) var droppedAttributesCount: UInt32 = 0
        fileprivate(set) var spanCount = 0
        /// All of the above but the count of spans: equal entries have equal bytes here.
        fileprivate(set) var content = 0..<0
        /// Where the count of attributes lies.
        fileprivate var attributesStart = 0
        fileprivate var table: OwnerTable

        /// Keys and values, as ranges of the table's bytes.
        var attributes: [(key: Range<Int>, value: Range<Int>)] { table.attributes(at: attributesStart, content) }
    }

    /// The entries, by number.
    struct Entries: RandomAccessCollection {
        fileprivate let table: OwnerTable

        var startIndex: Int { 0 }
        var endIndex: Int { table.starts.count }

        subscript(number: Int) -> Entry { table.entry(number) }
    }

    var entries: Entries { Entries(table: self) }
    var byteCount: Int { bytes.count + starts.count * 4 }

    func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Checks all of `raw` and keeps it.
    init(parsing raw: UnsafeRawBufferPointer, textCount: Int) throws(ByteError) {
        precondition(textCount <= 3)
        var reader = ByteReader(raw)
        let count = try reader.readCount(max: raw.count / 4)
        var starts: [UInt32] = []
        starts.reserveCapacity(count)
        for _ in 0..<count {
            let length = try reader.readCount(max: reader.remaining)
            let end = reader.position + length
            // No chunk is as long as 4 GiB.
            starts.append(UInt32(reader.position))
            for _ in 0..<textCount { _ = try reader.readLengthPrefixed() }
            _ = try reader.readCount(max: Int(UInt32.max))
            let pairs = try reader.readCount(max: length)
            for _ in 0..<(2 * pairs) { _ = try reader.readLengthPrefixed() }
            guard reader.position == end else { throw ByteError(.truncated, at: reader.position) }
            _ = try reader.readCount(max: .max)
        }
        guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
        self.starts = starts
        self.textCount = textCount
        bytes = [UInt8](raw)
    }

    private func entry(_ number: Int) -> Entry {
        var entry = Entry(table: self)
        let start = Int(starts[number])
        bytes.withUnsafeBytes { raw in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: raw[start...]))
            for text in 0..<textCount { entry.texts[text] = reader.checkedText(from: start) }
            entry.droppedAttributesCount = UInt32(truncatingIfNeeded: reader.checkedNumber())
            entry.attributesStart = start + reader.position
            for _ in 0..<(2 * reader.checkedNumber()) { _ = reader.checkedText(from: start) }
            entry.content = start..<(start + reader.position)
            entry.spanCount = reader.checkedNumber()
        }
        return entry
    }

    private func attributes(at start: Int, _ content: Range<Int>) -> [(key: Range<Int>, value: Range<Int>)] {
        bytes.withUnsafeBytes { raw in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: raw[start..<content.upperBound]))
            let count = reader.checkedNumber()
            var attributes: [(key: Range<Int>, value: Range<Int>)] = []
            attributes.reserveCapacity(count)
            for _ in 0..<count {
                let key = reader.checkedText(from: start)
                attributes.append((key, reader.checkedText(from: start)))
            }
            return attributes
        }
    }
}

/// Reading what was read once without an error.
extension ByteReader {
    fileprivate mutating func checkedNumber() -> Int {
        guard let number = try? readVarint() else { preconditionFailure("the table was checked") }
        return Int(truncatingIfNeeded: number)
    }

    /// Where the next text lies, counted from `start` bytes before the reader's first.
    fileprivate mutating func checkedText(from start: Int) -> Range<Int> {
        guard let text = try? readLengthPrefixed() else { preconditionFailure("the table was checked") }
        return (start + position - text.count)..<(start + position)
    }
}
