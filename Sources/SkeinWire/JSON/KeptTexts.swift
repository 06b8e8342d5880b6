// SPDX-License-Identifier: Apache-2.0

/// Texts that a ``JSONReader`` lent, for longer than until its next read: those with escapes are copied, all others stay
/// where they are in the text that is read.
struct KeptTexts: ~Copyable {
    private var copies: [UnsafeMutableRawBufferPointer] = []

    deinit { for copy in copies { copy.deallocate() } }

    /// The same text, good until ``removeAll()``.
    mutating func keep(_ text: UnsafeRawBufferPointer, of json: borrowing JSONReader) -> UnsafeRawBufferPointer {
        json.isPart(text) ? text : copy(text)
    }

    /// A copy, good until ``removeAll()``.
    mutating func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyMemory(from: bytes)
        copies.append(copy)
        return UnsafeRawBufferPointer(copy)
    }

    /// Lets go of all of them.
    mutating func removeAll() {
        for copy in copies { copy.deallocate() }
        copies.removeAll(keepingCapacity: true)
    }
}
