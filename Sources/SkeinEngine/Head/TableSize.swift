// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// What batches will take in the tables of a block, which say of every resource, scope and operation all its texts, where a
/// batch shares equal ones.
///
/// A few requests whose spans share long texts could make tables of any size of little memory: a service with a name of a
/// megabyte and ten thousand operations, for one. So a head part ends when its tables grow large, and a batch whose own would
/// be is refused.
struct TableSize {
    /// Bytes at which a head part ends, and more than which a batch may not take. Tables of twice as many fit in a chunk.
    static let byteCountMax = 128 << 20

    /// An upper bound.
    private(set) var byteCount = 0
    /// Hashes of the resources and scopes counted: equal ones are stored once.
    private var owners: Set<UInt64> = []

    init() {}

    mutating func add(_ batch: SpanBatch) {
        let dictionary = batch.dictionary
        let services = batch.resources.serviceNameRefs.map { dictionary.byteCount(of: $0) }
        for (name, resource) in zip(batch.nameRefs, batch.resourceRows) {
            byteCount += dictionary.byteCount(of: name) + services[Int(resource)]
        }
        for row in 0..<batch.resources.count {
            let texts = [batch.resources.serviceNameRefs[row], batch.resources.schemaURLRefs[row]]
            add(texts, batch.resources.attributes, row, dictionary)
        }
        for row in 0..<batch.scopes.count {
            let texts = [batch.scopes.nameRefs[row], batch.scopes.versionRefs[row], batch.scopes.schemaURLRefs[row]]
            add(texts, batch.scopes.attributes, row, dictionary)
        }
    }

    private mutating func add(
        _ texts: [SpanBatch.Ref],
        _ attributes: SpanBatch.AttributeTable,
        _ owner: Int,
        _ dictionary: ByteDictionary
    ) {
        var hash = UInt64(texts.count)
        var size = 0
        func add(_ ref: SpanBatch.Ref) {
            dictionary.withBytes(ref) { bytes in
                hash = Hash.of(hash, Hash.of(bytes, seed: Self.seed), seed: Self.seed)
                size += bytes.count + 2
            }
        }
        for text in texts { add(text) }
        for pair in attributes.range(of: owner) {
            add(attributes.keyRefs[pair])
            add(attributes.valueRefs[pair])
        }
        if owners.insert(hash).inserted { byteCount += size }
    }

    private static let seed = Hash.processSeed
}

extension ByteDictionary {
    fileprivate func byteCount(of ref: UInt32) -> Int { Int(offsets[Int(ref) + 1] - offsets[Int(ref)]) }
}
