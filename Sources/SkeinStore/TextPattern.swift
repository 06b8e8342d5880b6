// SPDX-License-Identifier: Apache-2.0

/// A regular expression with RE2's syntax and meaning, anchored at both ends, that matches in time linear in the text.
///
/// Left out of RE2's syntax: scripts (`\p{Greek}`) and single bytes (`\C`). Bytes of a text that are not UTF-8 count as
/// one U+FFFD each. Compiling is bounded too: by ``PatternProgram/instructionsMax`` and ``PatternParser/depthMax``.
public struct TextPattern: Sendable {
    /// As written.
    public let source: String
    private let matcher: Matcher

    private enum Matcher {
        case literal([UInt8])
        case automaton(PatternAutomaton)
        case simulation(PatternProgram)
    }

    /// Compiles `source`.
    public init(_ source: String) throws(TextPattern.Failure) {
        self.source = source
        var parser = PatternParser(source)
        let node = try parser.parse()
        // U+FFFD is matched by many texts: by each byte that is not UTF-8.
        if let literal = node.literal, !literal.unicodeScalars.contains("\u{fffd}") {
            matcher = .literal(Array(literal.utf8))
            return
        }
        let program = try PatternProgram(node)
        matcher = PatternAutomaton(program).map { .automaton($0) } ?? .simulation(program)
    }

    /// The one text that matches, when there is only one: then `=` says the same as `=~`.
    public var literal: String? {
        if case .literal(let bytes) = matcher { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    /// Whether the whole of `text` (UTF-8) matches.
    public func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        switch matcher {
        case .literal(let bytes): text.count == bytes.count && text.elementsEqual(bytes)
        case .automaton(let automaton): automaton.matches(text)
        case .simulation(let program): program.matches(text)
        }
    }

    /// Whether the whole of `text` matches.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// Why a pattern does not compile.
    public struct Failure: Error, Hashable, Sendable {
        public var message: String
        /// Offset into the pattern's UTF-8.
        public var offset: Int
    }
}

extension TextPattern: Hashable {
    /// Patterns are equal when they are written alike.
    public static func == (a: TextPattern, b: TextPattern) -> Bool { a.source == b.source }
    public func hash(into hasher: inout Hasher) { hasher.combine(source) }
}
