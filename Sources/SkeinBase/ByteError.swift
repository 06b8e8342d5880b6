// SPDX-License-Identifier: Apache-2.0

/// What a reader met instead of the bytes it was promised.
public struct ByteError: Error, Hashable, CustomStringConvertible {
    /// The kind of defect.
    public enum Code: Hashable, Sendable {
        /// The bytes end before the value does.
        case truncated
        /// A varint runs past ten bytes or 64 bits.
        case varintOverflow
        /// The value is none that could have been written.
        case invalid
    }

    /// What is wrong.
    public var code: Code
    /// Where in the reader's bytes the value began.
    public var offset: Int

    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    public var description: String {
        switch code {
        case .truncated: "the bytes end inside the value at offset \(offset)"
        case .varintOverflow: "the varint at offset \(offset) is longer than 64 bits"
        case .invalid: "the value at offset \(offset) cannot be"
        }
    }
}
