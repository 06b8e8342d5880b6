// SPDX-License-Identifier: Apache-2.0

/// How large and how old the head may grow before it becomes a block.
struct HeadLimits: Sendable {
    /// Spans of one block.
    var spanCount: Int
    /// Bytes of memory that the spans of one block may take.
    var byteCount: Int
    /// Appends wait while the head, with what waits to become blocks, takes more memory than this.
    var totalByteCount: Int
    /// Bytes of the tables of one block.
    var tableByteCount = TableSize.byteCountMax

    /// Whether a part should grow no further.
    func isFull(_ figures: HeadPart.Figures) -> Bool {
        figures.spanCount >= spanCount || figures.byteCount >= byteCount
            || figures.tableByteCount >= tableByteCount
    }
}
