// SPDX-License-Identifier: Apache-2.0

/// The memory that making a block takes beside the spans themselves: they are there once more as columns, with a row group
/// on its way to the disk.
enum SealingCost {
    /// What `spanByteCount` bytes of spans take. Measured: one and a half times as much, of any spans.
    static func byteCount(ofSpans spanByteCount: Int) -> Int { spanByteCount / 2 * 3 }

    /// How many bytes of spans can become a block with `byteCount` bytes.
    static func spanByteCount(with byteCount: Int) -> Int { byteCount / 3 * 2 }

    /// How many bytes of text a row group may then hold: where spans are little else, they are there as raw, packed and
    /// collected chunks beside the columns, which is five times.
    static func groupByteCount(with byteCount: Int) -> Int { byteCount / 16 }
}
