// SPDX-License-Identifier: Apache-2.0

/// Bytes that come in place of others.
package struct ByteEdit: Hashable, Sendable {
    /// Empty where bytes are only put in.
    package var range: Range<Int>
    package var bytes: [UInt8]

    package init(_ range: Range<Int>, _ bytes: [UInt8]) {
        self.range = range
        self.bytes = bytes
    }
}

extension [ByteEdit] {
    /// `bytes` with these edits, which stand in their order and do not overlap; those that do, or lie outside, change nothing.
    package func applied(to bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(reduce(bytes.count) { $0 &+ $1.bytes.count })
        var copied = 0
        for edit in self where edit.range.lowerBound >= copied && edit.range.upperBound <= bytes.count {
            result.append(contentsOf: bytes[copied..<edit.range.lowerBound])
            result.append(contentsOf: edit.bytes)
            copied = edit.range.upperBound
        }
        result.append(contentsOf: bytes[copied...])
        return result
    }
}
