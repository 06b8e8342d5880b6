// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
package import SkeinStore

/// What a block knows of the names in it, without looking at spans.
package struct BlockCatalogue: Sendable {
    /// An operation of a service and how many stored spans it has.
    package struct Operation: Hashable, Sendable {
        package var service: String
        package var name: String
        package var kind: Span.Kind
        package var spanCount: Int
    }

    /// An attribute key and how many spans, events or links carry it; for resources and scopes, how many spans do.
    package struct Key: Hashable, Sendable {
        package var key: AttributeKey
        package var count: Int
    }

    package var operations: [Operation] = []
    package var keys: [Key] = []

    /// The services with their spans, in no promised order; the empty name of spans without one included.
    package var services: [(name: String, spanCount: Int)] {
        var counts: [String: Int] = [:]
        for operation in operations { counts[operation.service, default: 0] += operation.spanCount }
        return counts.map { ($0.key, $0.value) }
    }
}

/// The block's table of attribute keys of spans, events and links.
struct KeyTable: Sendable {
    struct Entry: Sendable {
        var scope: AttributeScope
        var types: UInt8
        var count: Int
        /// Bytes of ``names``.
        var name: Range<Int>
    }

    let entries: [Entry]
    let bytes: [UInt8]
    private let numbers: [Name: UInt32]

    private struct Name: Hashable {
        var scope: AttributeScope
        var bytes: [UInt8]
    }

    var byteCount: Int { bytes.count * 2 + entries.count * 128 }

    /// The number of a key; `nil` when no row of the block has it.
    func number(_ scope: AttributeScope, _ name: String) -> UInt32? {
        numbers[Name(scope: scope, bytes: Array(name.utf8))]
    }

    func withName<R>(_ number: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[entries[Int(number)].name])) }
    }

    init(parsing raw: UnsafeRawBufferPointer) throws(ByteError) {
        var reader = ByteReader(raw)
        let count = try reader.readCount(max: raw.count / 4)
        var entries: [Entry] = []
        var numbers: [Name: UInt32] = [:]
        entries.reserveCapacity(count)
        numbers.reserveCapacity(count)
        for number in 0..<count {
            let content = try reader.readLengthPrefixed()
            let end = reader.position
            guard let first = content.first, let scope = AttributeScope(byte: first) else {
                throw ByteError(.truncated, at: end)
            }
            let types = try reader.readByte()
            let spans = try reader.readCount(max: .max)
            entries.append(Entry(scope: scope, types: types, count: spans, name: (end - content.count + 1)..<end))
            numbers[Name(scope: scope, bytes: [UInt8](content.dropFirst()))] = UInt32(number)
        }
        guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
        self.entries = entries
        self.numbers = numbers
        self.bytes = [UInt8](raw)
    }
}

/// The block's table of resources, or of scopes: both are some texts, a count, and attributes.
struct OwnerTable: Sendable {
    struct Entry: Sendable {
        /// Resource: service name, schema URL. Scope: name, version, schema URL.
        var texts: [Range<Int>] = []
        var droppedAttributesCount: UInt32 = 0
        var attributes: [(key: Range<Int>, value: Range<Int>)] = []
        var spanCount = 0
        /// All of the above but the count of spans: equal entries have equal bytes here.
        var content = 0..<0
    }

    let entries: [Entry]
    let bytes: [UInt8]

    var byteCount: Int { entries.reduce(bytes.count) { $0 + 96 + $1.attributes.count * 32 } }

    func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    init(parsing raw: UnsafeRawBufferPointer, textCount: Int) throws(ByteError) {
        var reader = ByteReader(raw)
        let count = try reader.readCount(max: raw.count / 4)
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let length = try reader.readCount(max: reader.remaining)
            let end = reader.position + length
            var entry = Entry(content: reader.position..<end)
            for _ in 0..<textCount { entry.texts.append(try Self.text(&reader)) }
            entry.droppedAttributesCount = UInt32(try reader.readCount(max: Int(UInt32.max)))
            let pairs = try reader.readCount(max: length)
            for _ in 0..<pairs { entry.attributes.append((try Self.text(&reader), try Self.text(&reader))) }
            guard reader.position == end else { throw ByteError(.truncated, at: reader.position) }
            entry.spanCount = try reader.readCount(max: .max)
            entries.append(entry)
        }
        guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
        self.entries = entries
        self.bytes = [UInt8](raw)
    }

    private static func text(_ reader: inout ByteReader) throws(ByteError) -> Range<Int> {
        let text = try reader.readLengthPrefixed()
        return (reader.position - text.count)..<reader.position
    }
}

extension BlockCatalogue {
    init(
        operations raw: UnsafeRawBufferPointer,
        keys table: KeyTable,
        resources: OwnerTable,
        scopes: OwnerTable
    ) throws(ByteError) {
        var reader = ByteReader(raw)
        let count = try reader.readCount(max: raw.count / 3)
        for _ in 0..<count {
            var entry = ByteReader(try reader.readLengthPrefixed())
            let kind = Span.Kind(rawValue: try entry.readByte()) ?? .unspecified
            let service = String(decoding: try entry.readLengthPrefixed(), as: UTF8.self)
            let name = String(decoding: try entry.read(entry.remaining), as: UTF8.self)
            let spanCount = try reader.readCount(max: .max)
            operations.append(Operation(service: service, name: name, kind: kind, spanCount: spanCount))
        }
        guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
        for (number, entry) in table.entries.enumerated() {
            let name = table.withName(UInt32(number)) { String(decoding: $0, as: UTF8.self) }
            let types = ValueType.allCases.enumerated().filter { entry.types & 1 << UInt8($0.offset) != 0 }
            keys.append(
                Key(key: AttributeKey(scope: entry.scope, name: name, types: types.map(\.element)), count: entry.count)
            )
        }
        keys += Self.keys(of: resources, .resource) + Self.keys(of: scopes, .instrumentation)
    }

    /// The keys of resources or scopes, each counted as often as spans have its owners.
    private static func keys(of table: OwnerTable, _ scope: AttributeScope) -> [Key] {
        var found: [String: (types: Set<ValueType>, count: Int)] = [:]
        for entry in table.entries {
            for pair in entry.attributes {
                let type = table.withBytes(pair.value) { EncodedValue.decode($0).type }
                var key = found[table.string(pair.key), default: ([], 0)]
                if let type { key.types.insert(type) }
                key.count += entry.spanCount
                found[table.string(pair.key)] = key
            }
        }
        return found.map { name, key in
            Key(
                key: AttributeKey(scope: scope, name: name, types: ValueType.allCases.filter(key.types.contains)),
                count: key.count
            )
        }
    }
}
