// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Row groups read back, the least recently used ones going first.
struct DecodedGroups {
    struct Place: Hashable {
        var input: Int
        var group: Int
    }

    private let byteCountMax: Int
    private let cut: BlockMerge.Cut
    /// What was masked in each group.
    private var masked: [Place: Masking.Outcome] = [:]
    private var groups: [Place: (batch: SpanBatch, used: Int)] = [:]
    private var byteCount = 0
    private var clock = 0

    init(byteCountMax: Int, cut: BlockMerge.Cut) {
        self.byteCountMax = byteCountMax
        self.cut = cut
    }

    /// Spans in which a value was masked.
    var maskedCount: Int { masked.values.reduce(0) { $0 + $1.spanCount } }
    /// Their traces.
    var maskedTraces: Set<TraceID> { masked.values.reduce(into: []) { $0.formUnion($1.traces) } }

    mutating func batch(_ place: Place, of block: Block) throws(StoreError) -> SpanBatch {
        clock += 1
        if let known = groups[place] {
            groups[place]?.used = clock
            return known.batch
        }
        var batch = try block.batch(rows: block.footer.groups[place.group].rows, columns: .all)
        if let masking = cut.masking { masked[place] = try masking.mask(&batch, in: cut.masked) }
        cut.decisions?.weigh(&batch)
        groups[place] = (batch, clock)
        byteCount += batch.byteCount
        while byteCount > byteCountMax, groups.count > 1, let oldest = groups.min(by: { $0.value.used < $1.value.used })
        {
            byteCount -= oldest.value.batch.byteCount
            groups[oldest.key] = nil
        }
        return batch
    }
}
