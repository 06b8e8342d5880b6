// SPDX-License-Identifier: Apache-2.0

/// How large and how old the head may grow before it becomes a block.
struct HeadLimits: Sendable {
    /// Spans of one block.
    var spanCount: Int
    /// Bytes of memory that the spans of one block may take.
    var byteCount: Int
    /// Appends wait while the head, with what waits to become blocks, takes more memory than this.
    var totalByteCount: Int

    /// Whether a part holds so much that few traces of the part before are still to go on in it.
    func isUnderWay(_ figures: HeadPart.Figures) -> Bool {
        figures.spanCount >= spanCount / 4 || figures.byteCount >= byteCount / 4
    }

    /// Whether a part should grow no further.
    func isFull(_ figures: HeadPart.Figures) -> Bool {
        figures.spanCount >= spanCount || figures.byteCount >= byteCount
    }
}
