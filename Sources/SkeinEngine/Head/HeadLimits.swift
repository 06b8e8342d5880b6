// SPDX-License-Identifier: Apache-2.0

/// How large and how old the head may grow before it becomes a block.
struct HeadLimits: Sendable {
    /// Spans of one block.
    var spanCount: Int
    /// Bytes that the spans of one block may take in memory, and in the log. A group of requests is no larger, unless a
    /// single request is.
    var byteCount: Int
    /// Bytes of text in a row group of a block.
    var groupByteCount = 64 << 20
    /// Appends are refused while records of this many bytes wait for the log.
    var waitingByteCount = 64 << 20
    /// Bytes of the tables of one block.
    var tableByteCount = TableSize.byteCountMax

    /// Appends wait while the head, with what waits to become blocks, takes as much memory as this, or as much of the log.
    var totalByteCount: Int { 3 * byteCount }

    /// Whether a part holds so much that few traces of the part before are still to go on in it.
    func isUnderWay(_ figures: HeadPart.Figures) -> Bool {
        figures.spanCount >= spanCount / 4 || figures.byteCount >= byteCount / 4
            || figures.logByteCount >= byteCount / 4 || figures.tableByteCount >= tableByteCount / 4
    }

    /// Whether a part should grow no further.
    func isFull(_ figures: HeadPart.Figures) -> Bool {
        figures.spanCount >= spanCount || figures.byteCount >= byteCount || figures.logByteCount >= byteCount
            || figures.tableByteCount >= tableByteCount
    }

    /// Whether no more may be appended until a part has become a block.
    func isFull(_ parts: [HeadPart.Figures]) -> Bool {
        parts.reduce(0) { $0 + $1.byteCount } >= totalByteCount
            || parts.reduce(0) { $0 + $1.logByteCount } >= totalByteCount
    }
}
