// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// The names in one block or head part, each list as long as it is not too long to be kept.
struct PartNames: Sendable {
    private(set) var services = NameSet(.part)
    private(set) var operations = NameSet(.part)
    private(set) var keys = NameSet(.part)

    init() {}

    subscript(list: NameListKind) -> NameSet {
        switch list {
        case .services: services
        case .operations: operations
        case .keys: keys
        }
    }

    /// The names of a block.
    init(of block: Block) throws(StoreError) {
        try block.forEachOperation { addOperation($0, String(decoding: $1, as: UTF8.self), $2, $3) }
        try block.forEachKey { addKey($0, $1, $2, $3) }
    }

    /// Adds the names in `rows` of a batch. Returns whether any is new.
    mutating func add(_ batch: SpanBatch, _ rows: Range<Int>) -> Bool {
        var hasNew = false
        batch.forEachOperation(rows) { kind, service, name, count in
            if addOperation(kind, String(decoding: service, as: UTF8.self), name, count) { hasNew = true }
        }
        batch.forEachKey(rows) { scope, name, types, count in
            if addKey(scope, name, types, count) { hasNew = true }
        }
        return hasNew
    }

    @discardableResult
    private mutating func addOperation(
        _ kind: UInt8,
        _ service: String,
        _ name: UnsafeRawBufferPointer,
        _ count: Int
    ) -> Bool {
        let isNewService = services.add(NameKey(service), NameFacts(count: count))
        guard !operations.isOverfull else { return isNewService }
        let kind = Span.Kind(stored: kind).rawValue
        let key = NameKey(owner: service, String(decoding: name, as: UTF8.self), tag: kind)
        return operations.add(key, NameFacts(count: count)) || isNewService
    }

    @discardableResult
    private mutating func addKey(
        _ scope: AttributeScope,
        _ name: UnsafeRawBufferPointer,
        _ types: UInt8,
        _ count: Int
    ) -> Bool {
        guard !keys.isOverfull else { return false }
        let key = NameKey(String(decoding: name, as: UTF8.self), tag: UInt8(scope.place))
        return keys.add(key, NameFacts(count: count, types: types))
    }
}

/// The names in a block, in order.
final class BlockNames: CachedPart {
    /// Where the cache keeps it: no chunk of a file lies there.
    static let offset = -1

    private let tables: [NameTable?]
    let byteCount: Int

    init(_ names: PartNames) {
        tables = NameListKind.allCases.map { NameTable(names[$0]) }
        byteCount = tables.reduce(64) { $0 + ($1?.byteCount ?? 0) }
    }

    /// A list; `nil` when it is too long.
    subscript(list: NameListKind) -> NameTable? { tables[list.rawValue] }
}
