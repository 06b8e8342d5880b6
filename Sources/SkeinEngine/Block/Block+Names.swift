// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// What a block's tables say of names, entry by entry, without looking at spans. Nothing but the tables is held in memory.
/// Entries of which no span is left are passed over.
extension Block {
    /// Calls `body` with kind, service, name and number of spans of each operation.
    func forEachOperation(
        _ body: (_ kind: UInt8, _ service: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer, _ spanCount: Int) ->
            Void
    ) throws(StoreError) {
        let raw = try reader.part(footer.operations, byteCount: { (bytes: [UInt8]) in bytes.count }) {
            bytes throws(ByteError) in [UInt8](bytes)
        }
        do throws(ByteError) {
            try raw.withUnsafeBufferPointer { bytes throws(ByteError) in
                var reader = ByteReader(UnsafeRawBufferPointer(bytes))
                let count = try reader.readCount(max: bytes.count / 3)
                for _ in 0..<count {
                    var entry = ByteReader(try reader.readLengthPrefixed())
                    let kind = try entry.readByte()
                    let service = try entry.readLengthPrefixed()
                    let name = try entry.read(entry.remaining)
                    let spanCount = try reader.readCount(max: footer.spanCount)
                    if spanCount > 0 { body(kind, service, name, spanCount) }
                }
                guard reader.isAtEnd else { throw ByteError(.truncated, at: reader.position) }
            }
        } catch {
            throw reader.corrupt("the operations do not decode: \(error)", at: footer.operations.offset)
        }
    }

    /// Calls `body` with scope, name, types (a bit for each ``ValueType``) and number of each attribute key: of spans,
    /// events or links how many carry it, of resources and scopes how many spans do.
    func forEachKey(
        _ body: (_ scope: AttributeScope, _ name: UnsafeRawBufferPointer, _ types: UInt8, _ count: Int) -> Void
    ) throws(StoreError) {
        let keys = try keyTable()
        for (number, entry) in keys.entries.enumerated() where entry.count > 0 {
            keys.withName(UInt32(number)) { body(entry.scope, $0, entry.types, entry.count) }
        }
        Self.forEachKey(of: try resourceTable()) { body(.resource, $0, $1, $2) }
        Self.forEachKey(of: try scopeTable()) { body(.instrumentation, $0, $1, $2) }
    }

    /// The keys of resources or scopes, each counted as often as spans have its owners.
    private static func forEachKey(
        of table: OwnerTable,
        _ body: (_ name: UnsafeRawBufferPointer, _ types: UInt8, _ count: Int) -> Void
    ) {
        var interner = Interner()
        var types: [UInt8] = []
        var counts: [Int] = []
        /// By key, the entry that had it last: an entry that has it twice counts once.
        var owners: [Int] = []
        for (owner, entry) in table.entries.enumerated() where entry.spanCount > 0 {
            for pair in entry.attributes {
                // Entry 0 of an interner is the empty string, which may be a key here.
                let key = Int(table.withBytes(pair.key) { interner.intern($0).ref })
                while types.count <= key {
                    types.append(0)
                    counts.append(0)
                    owners.append(-1)
                }
                types[key] |= table.withBytes(pair.value) { EncodedValue.typeBit(of: $0) }
                if owners[key] != owner { counts[key] &+= entry.spanCount }
                owners[key] = owner
            }
        }
        let names = interner.finish()
        for key in types.indices where owners[key] >= 0 {
            names.withBytes(UInt32(key)) { body($0, types[key], counts[key]) }
        }
    }
}
