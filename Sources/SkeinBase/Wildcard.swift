// SPDX-License-Identifier: Apache-2.0

/// A text in which every `*` stands for any text, also none.
package struct Wildcard: Hashable, Sendable {
    /// As written.
    package let text: String
    /// What stands between the stars; one part when there is no star.
    private let parts: [[UInt8]]

    package init(_ text: String) {
        self.text = text
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// Whether the whole of `bytes` is such a text.
    package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = parts.first, let last = parts.last, parts.count > 1 else {
            return bytes.elementsEqual(parts.first ?? [])
        }
        guard bytes.count >= first.count + last.count, bytes.starts(with: first),
            bytes.suffix(last.count).elementsEqual(last)
        else { return false }
        // The parts between are found from the left, each as early as can be.
        var rest = bytes[first.count..<bytes.count - last.count]
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = Self.firstIndex(of: part, in: rest) else { return false }
            rest = rest[(found + part.count)...]
        }
        return true
    }

    /// Whether the whole of `text` is such a text.
    package func matches(_ text: Substring) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// Whether it is about every text that `other` is about.
    package func covers(_ other: Wildcard) -> Bool {
        // A star of the other stands for some text that only a star can match.
        matches(other.text[...])
    }

    private static func firstIndex(of part: [UInt8], in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard bytes.count >= part.count else { return nil }
        return (bytes.startIndex...bytes.endIndex - part.count).first { bytes[$0...].starts(with: part) }
    }
}
