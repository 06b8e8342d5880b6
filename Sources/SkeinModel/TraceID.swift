// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The 16 bytes that name a trace (W3C Trace Context 2 §3.2.2.3). All zero is invalid.
public struct TraceID: Hashable, Sendable, BitwiseCopyable {
    /// The first eight bytes as a big-endian number; zero for a 64-bit id of an older client.
    public var high: UInt64
    /// The last eight bytes as a big-endian number.
    public var low: UInt64

    /// The id with these two halves.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 1 to 32 hexadecimal digits of either case; shorter ids are padded on the left. `nil` for anything else.
    public init?(hex: some StringProtocol) {
        guard let parsed = Hex.parse(hex.utf8) else { return nil }
        self.init(high: parsed.high, low: parsed.low)
    }

    /// Whether the id is not all zero.
    @inlinable public var isValid: Bool { high | low != 0 }

    /// The all-zero id, which stands for "none".
    public static let zero = TraceID(high: 0, low: 0)
}

extension TraceID: Comparable {
    /// Byte order, which is the order of the text forms.
    @inlinable
    public static func < (a: TraceID, b: TraceID) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

extension TraceID: CustomStringConvertible {
    /// 32 lower-case hexadecimal digits.
    public var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(32)
        Hex.append(high, to: &text)
        Hex.append(low, to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
