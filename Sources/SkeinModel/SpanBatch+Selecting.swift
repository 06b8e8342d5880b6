// SPDX-License-Identifier: Apache-2.0

extension SpanBatch {
    /// The rows for which `isKept` holds, in their order; the batch itself when it holds for all.
    package func selecting(_ isKept: (Int) -> Bool) -> SpanBatch {
        let rows = (0..<count).filter(isKept)
        guard rows.count < count else { return self }
        guard !rows.isEmpty else {
            var none = SpanBatch()
            none.receivedUnixNanos = receivedUnixNanos
            return none
        }
        var builder = SpanBatchBuilder()
        var merger = SpanBatchMerger(from: self)
        for row in rows { merger.append(row, to: &builder) }
        return builder.finish(receivedUnixNanos: receivedUnixNanos)
    }
}
