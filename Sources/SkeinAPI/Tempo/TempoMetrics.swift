// SPDX-License-Identifier: Apache-2.0

/// `tempopb.SearchMetrics`: what an answer took. There is one job, which is done when the last message goes out.
///
///     SearchMetrics { 2 inspectedBytes, 3 totalBlocks, 4 completedJobs, 5 totalJobs, 7 inspectedSpans }
struct TempoMetrics {
    var inspectedSpanCount = 0
    /// Bytes of columns read, before decompression.
    var inspectedByteCount = 0
    /// Blocks of which anything was read.
    var blockCount = 0
    var isDone = true

    func write<Writer: MessageWriter & ~Copyable>(to writer: inout Writer) {
        writer.field(2, "inspectedBytes", uint64: UInt64(inspectedByteCount))
        writer.field(3, "totalBlocks", uint32: UInt64(blockCount))
        writer.field(4, "completedJobs", uint32: isDone ? 1 : 0)
        writer.field(5, "totalJobs", uint32: 1)
        writer.field(7, "inspectedSpans", uint64: UInt64(inspectedSpanCount))
    }
}
