// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The attributes of some keys, found without comparing texts more than once for each distinct key of a batch.
struct KnownKeys {
    private let numbers: [String: Int]
    /// By ref: the number + 1, 0 for another key, -1 when not looked up.
    private var known: [Int32] = []

    /// Numbers `keys` by their places.
    init(_ keys: [String]) { numbers = Dictionary(uniqueKeysWithValues: zip(keys, 0...)) }

    /// Goes on to another batch.
    mutating func open(_ batch: SpanBatch) {
        known = [Int32](repeating: -1, count: batch.dictionary.count)
    }

    /// The number of the key `ref` of the batch that was opened; `nil` for a key that is none of these.
    mutating func number(_ ref: SpanBatch.Ref, in batch: SpanBatch) -> Int? {
        if known[Int(ref)] < 0 {
            known[Int(ref)] = Int32((numbers[batch.dictionary.string(ref)] ?? -1) + 1)
        }
        return known[Int(ref)] == 0 ? nil : Int(known[Int(ref)] - 1)
    }
}
