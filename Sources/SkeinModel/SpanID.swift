// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The 8 bytes that name a span within its trace (W3C Trace Context 2 §3.2.2.4). All zero is invalid, or "no parent".
public struct SpanID: Hashable, Sendable, BitwiseCopyable {
    /// The bytes as a big-endian number.
    public var rawValue: UInt64

    /// The id with this number.
    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Reads 1 to 16 hexadecimal digits of either case; shorter ids are padded on the left. `nil` for anything else.
    public init?(hex: some StringProtocol) {
        guard let parsed = Hex.parse(hex.utf8), parsed.high == 0 else { return nil }
        self.init(parsed.low)
    }

    /// Whether the id is not all zero.
    @inlinable public var isValid: Bool { rawValue != 0 }

    /// The all-zero id, which stands for "none".
    public static let zero = SpanID(0)
}

extension SpanID: Comparable {
    /// Byte order, which is the order of the text forms.
    @inlinable
    public static func < (a: SpanID, b: SpanID) -> Bool { a.rawValue < b.rawValue }
}

extension SpanID: CustomStringConvertible {
    /// 16 lower-case hexadecimal digits.
    public var description: String { Hex.string(rawValue) }
}
