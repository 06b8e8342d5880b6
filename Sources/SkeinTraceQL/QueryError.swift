// SPDX-License-Identifier: Apache-2.0

/// Why a query cannot be answered, and where.
public struct QueryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A whole sentence without its full stop: what is wrong, and what to do.
    public var message: String
    /// The words at fault; empty at the end of the query when something is missing there.
    public var range: SourceRange
    /// What stands there, as written; "end of query" when nothing does.
    public var found: String
    /// What could stand there instead, when that is a short list.
    public var expected: [String]
    /// What to write in place of ``range``, when there is a good guess.
    public var suggestion: String?

    /// An error at `bytes` of `source`, which are counted in UTF-8.
    init(
        _ message: String,
        at bytes: Range<Int>,
        of source: [UInt8],
        expected: [String] = [],
        suggestion: String? = nil
    ) {
        self.message = message
        range = SourceRange(bytes, of: source)
        let words = String(decoding: source[bytes.clamped(to: 0..<source.count)].prefix(80), as: UTF8.self)
        found = words.isEmpty ? "end of query" : words
        self.expected = expected
        self.suggestion = suggestion
    }

    public var description: String {
        let hint = suggestion.map { "; did you mean \($0)?" } ?? ""
        return "line \(range.line), column \(range.column): \(message)\(hint)"
    }
}

/// A stretch of a query's text.
public struct SourceRange: Hashable, Sendable {
    /// UTF-8 bytes before it.
    public var offset: Int
    /// Its UTF-8 bytes.
    public var length: Int
    /// From 1 on.
    public var line: Int
    /// Unicode scalars of the line before it, plus 1.
    public var column: Int

    init(_ bytes: Range<Int>, of source: [UInt8]) {
        offset = min(bytes.lowerBound, source.count)
        length = min(bytes.upperBound, source.count) - offset
        let before = source[..<offset]
        let start = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        line = before.count { $0 == 0x0a } + 1
        column = before[start...].count { $0 & 0xc0 != 0x80 } + 1
    }
}
