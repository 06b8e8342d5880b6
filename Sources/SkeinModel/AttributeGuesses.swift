// SPDX-License-Identifier: Apache-2.0

/// Which key came after which, and which value each key had last. Refs share places: a wrong guess
/// costs a comparison, never a wrong answer.
struct AttributeGuesses: ~Copyable {
    private static let size = 256
    private let nextKeys = UnsafeMutablePointer<SpanBatch.Ref>.allocate(capacity: size)
    private let values = UnsafeMutablePointer<SpanBatch.Ref>.allocate(capacity: size)
    private var last = 0

    init() { removeAll() }

    deinit {
        nextKeys.deallocate()
        values.deallocate()
    }

    /// Notes the key that came; the next is guessed from it.
    mutating func note(key: SpanBatch.Ref) {
        // Every index is masked to below the size.
        nextKeys[last] = key
        last = Int(key) & (Self.size - 1)
    }

    /// The key that came after the last one the time before, 0 for none.
    var nextKey: SpanBatch.Ref { nextKeys[last] }

    /// The value that the last key had the time before, 0 for none.
    var value: SpanBatch.Ref {
        get { values[last] }
        nonmutating set { values[last] = newValue }
    }

    mutating func removeAll() {
        nextKeys.update(repeating: 0, count: Self.size)
        values.update(repeating: 0, count: Self.size)
        last = 0
    }
}
