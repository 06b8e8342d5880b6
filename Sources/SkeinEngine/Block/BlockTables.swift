// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// What a block says once instead of in every row: attribute keys, resources, scopes, operations.
///
/// Grows while the block is written. Entries of different batches are one when their content is.
struct BlockTables: ~Copyable {
    /// The dictionary of the batch whose keys ``keyNumber(of:)`` translates.
    private var translated = SpanBatch().dictionary
    private var translatedScope = AttributeScope.span
    /// By ref of that batch: key number + 1, or 0.
    private var translation = ColumnBuffer<UInt32>()

    private var keyInterner = Interner()
    private(set) var keys: [Key] = []
    private var resourceInterner = Interner()
    private var scopeInterner = Interner()
    private var scratch = ByteWriter()
    /// Per resource, its service name.
    private(set) var services: [[UInt8]] = []
    private(set) var resourceSpanCounts: [UInt64] = []
    private var resourceHashes = ResourceHashes()
    private(set) var scopeSpanCounts: [UInt64] = []
    /// (service, name, kind) by their bytes: kind, service with its length, name.
    private var operationInterner = Interner()
    private(set) var operationSpanCounts: [UInt64] = []

    /// An attribute key of spans, events or links.
    struct Key {
        var scope: AttributeScope
        /// What the key adds to the hashes of its values, see ``FilterHash``.
        var hash: UInt64
        /// Set when it is a span's key that names the other end of a call.
        var peer: Peer.Key?
        /// A bit for each ``ValueType``, in the order of its cases; bit 7 for `null`.
        var types: UInt8 = 0
        /// How many spans, events or links carry it.
        var count: UInt64 = 0
    }

    init() {}

    // MARK: Keys

    /// Makes ready to translate key refs that are entries of `dictionary`.
    mutating func translateKeys(of dictionary: ByteDictionary, _ scope: AttributeScope) {
        translated = dictionary
        translatedScope = scope
        translation.reset(repeating: 0, count: dictionary.count)
    }

    /// The number of a key in the table of keys.
    @inline(__always)
    mutating func keyNumber(of ref: SpanBatch.Ref) -> UInt32 {
        precondition(Int(ref) < translation.count)
        let known = translation[Int(ref)]
        return known != 0 ? known &- 1 : addKey(ref)
    }

    @inline(never)
    private mutating func addKey(_ ref: SpanBatch.Ref) -> UInt32 {
        scratch.removeAll()
        scratch.append(translatedScope.byte)
        translated.withBytes(ref) { scratch.append($0) }
        let number = internKey(translatedScope)
        translation[Int(ref)] = number + 1
        return number
    }

    /// Notes that a row group holds `count` values of `key`, of these types.
    mutating func note(key: UInt32, count: Int, types: UInt8) {
        keys[Int(key)].count += UInt64(count)
        keys[Int(key)].types |= types
    }

    // MARK: Resources and scopes

    /// By row of the batch's resource table, the entry of the block's; 0 for rows that are not used.
    ///
    /// What no span refers to stays out: it may be what was redacted.
    mutating func resources(of batch: SpanBatch, isUsed: [Bool]) -> [UInt32] {
        (0..<batch.resources.count).map { row in
            guard isUsed[row] else { return 0 }
            scratch.removeAll()
            append(batch, batch.resources.serviceNameRefs[row])
            append(batch, batch.resources.schemaURLRefs[row])
            scratch.appendVarint(UInt64(batch.resources.droppedAttributesCounts[row]))
            append(batch, batch.resources.attributes, row)
            let (ref, isNew) = resourceInterner.intern(scratch.bytes)
            if isNew {
                batch.dictionary.withBytes(batch.resources.serviceNameRefs[row]) { services.append([UInt8]($0)) }
                resourceSpanCounts.append(0)
            }
            return Self.number(ref)
        }
    }

    /// This table's entry for one of another block's table of resources.
    mutating func resource(_ number: Int, of table: OwnerTable) -> UInt32 {
        let entry = table.entries[number]
        let (ref, isNew) = table.withBytes(entry.content) { resourceInterner.intern($0) }
        if isNew {
            services.append(table.withBytes(entry.texts[0]) { [UInt8]($0) })
            resourceSpanCounts.append(0)
        }
        return Self.number(ref)
    }

    /// This table's entry for one of another block's table of scopes.
    mutating func scope(_ number: Int, of table: OwnerTable) -> UInt32 {
        let (ref, isNew) = table.withBytes(table.entries[number].content) { scopeInterner.intern($0) }
        if isNew { scopeSpanCounts.append(0) }
        return Self.number(ref)
    }

    /// This table's number for a key of another block's table.
    mutating func key(_ number: Int, of table: KeyTable) -> UInt32 {
        scratch.removeAll()
        scratch.append(table.entries[number].scope.byte)
        table.withName(UInt32(number)) { scratch.append($0) }
        return internKey(table.entries[number].scope)
    }

    /// The number of the key whose scope and name are in `scratch`.
    private mutating func internKey(_ scope: AttributeScope) -> UInt32 {
        // The interner's entry 0 is the empty string, which no key is: the scope comes first.
        let number = Self.number(keyInterner.intern(scratch.bytes).ref)
        if number == keys.count {
            let name = UnsafeRawBufferPointer(rebasing: scratch.bytes.dropFirst())
            let peer = scope == .span ? Peer.Key.allCases.first { $0.name.utf8.elementsEqual(name) } : nil
            // The bytes of a key here are those that are hashed.
            keys.append(Key(scope: scope, hash: Checksum.of(scratch.bytes), peer: peer))
        }
        return number
    }

    /// By row of the batch's scope table, the entry of the block's; 0 for rows that are not used.
    mutating func scopes(of batch: SpanBatch, isUsed: [Bool]) -> [UInt32] {
        (0..<batch.scopes.count).map { row in
            guard isUsed[row] else { return 0 }
            scratch.removeAll()
            append(batch, batch.scopes.nameRefs[row])
            append(batch, batch.scopes.versionRefs[row])
            append(batch, batch.scopes.schemaURLRefs[row])
            scratch.appendVarint(UInt64(batch.scopes.droppedAttributesCounts[row]))
            append(batch, batch.scopes.attributes, row)
            let (ref, isNew) = scopeInterner.intern(scratch.bytes)
            if isNew { scopeSpanCounts.append(0) }
            return Self.number(ref)
        }
    }

    private mutating func append(_ batch: SpanBatch, _ ref: SpanBatch.Ref) {
        batch.dictionary.withBytes(ref) {
            scratch.appendVarint(UInt64($0.count))
            scratch.append($0)
        }
    }

    private mutating func append(_ batch: SpanBatch, _ table: SpanBatch.AttributeTable, _ row: Int) {
        let pairs = table.range(of: row)
        scratch.appendVarint(UInt64(pairs.count))
        for pair in pairs {
            append(batch, table.keyRefs[pair])
            append(batch, table.valueRefs[pair])
        }
    }

    /// Throws ``StoreError/Code/limit`` when those of one kind take more than 4 GiB, so that some are missing.
    func check() throws(StoreError) {
        guard !keyInterner.isFull, !resourceInterner.isFull, !scopeInterner.isFull, !operationInterner.isFull else {
            throw StoreError(
                .limit,
                "the keys, resources, scopes or operations of a block take more than \(Interner.byteCountMax) bytes: "
                    + "store fewer different ones at once"
            )
        }
    }

    /// Notes that a row group holds spans of these.
    mutating func note(resource: UInt32, spanCount: Int) { resourceSpanCounts[Int(resource)] += UInt64(spanCount) }
    mutating func note(scope: UInt32, spanCount: Int) { scopeSpanCounts[Int(scope)] += UInt64(spanCount) }

    /// Adds what the filter of a row group says of these resources: service names and attributes, each once.
    mutating func addHashes(ofResources numbers: some Sequence<UInt32>, to filters: inout FilterWriter) {
        resourceHashes.beginGroup()
        for number in numbers {
            if !resourceHashes.knows(number) {
                resourceHashes.note(number, content: resourceInterner.entry(number + 1))
            }
            resourceHashes.add(number, to: &filters)
        }
    }

    /// Notes that a row group holds spans of an operation.
    mutating func note(resource: UInt32, name: UnsafeRawBufferPointer, kind: UInt8, spanCount: Int) {
        scratch.removeAll()
        scratch.append(kind)
        let service = services[Int(resource)]
        scratch.appendVarint(UInt64(service.count))
        service.withUnsafeBytes { scratch.append($0) }
        scratch.append(name)
        let (ref, isNew) = operationInterner.intern(scratch.bytes)
        if isNew { operationSpanCounts.append(0) }
        operationSpanCounts[Int(Self.number(ref))] += UInt64(spanCount)
    }

    /// The entry of an interner's number, which is 0 only when there was no room for it: then ``check()`` fails.
    private static func number(_ ref: UInt32) -> UInt32 { ref == 0 ? 0 : ref - 1 }

    // MARK: Bytes

    /// `count`, then each key: length, scope and name; types; count.
    mutating func finishKeys(into out: inout ByteWriter) {
        let dictionary = keyInterner.finish()
        out.appendVarint(UInt64(keys.count))
        for (number, key) in keys.enumerated() {
            dictionary.append(number, to: &out)
            out.append(key.types)
            out.appendVarint(key.count)
        }
    }

    /// `count`, then each resource: length and content; count of spans.
    mutating func finishResources(into out: inout ByteWriter) {
        Self.finish(resourceInterner.finish(), resourceSpanCounts, into: &out)
    }

    /// `count`, then each scope: length and content; count of spans.
    mutating func finishScopes(into out: inout ByteWriter) {
        Self.finish(scopeInterner.finish(), scopeSpanCounts, into: &out)
    }

    /// `count`, then each operation: length, kind, service, name; count of spans.
    mutating func finishOperations(into out: inout ByteWriter) {
        Self.finish(operationInterner.finish(), operationSpanCounts, into: &out)
    }

    private static func finish(_ entries: ByteDictionary, _ counts: [UInt64], into out: inout ByteWriter) {
        out.appendVarint(UInt64(counts.count))
        for (number, count) in counts.enumerated() {
            entries.append(number, to: &out)
            out.appendVarint(count)
        }
    }
}

extension ByteDictionary {
    /// Appends entry `number + 1` behind its length: tables count without the empty entry.
    fileprivate func append(_ number: Int, to out: inout ByteWriter) {
        withBytes(UInt32(number + 1)) {
            out.appendVarint(UInt64($0.count))
            out.append($0)
        }
    }
}

extension AttributeScope {
    /// Its byte in a block's table of keys.
    var byte: UInt8 {
        switch self {
        case .any: 0
        case .span: 1
        case .resource: 2
        case .instrumentation: 3
        case .event: 4
        case .link: 5
        }
    }

    /// The scope whose keys a block's table holds.
    init?(byte: UInt8) {
        switch byte {
        case 1: self = .span
        case 4: self = .event
        case 5: self = .link
        default: return nil
        }
    }
}
