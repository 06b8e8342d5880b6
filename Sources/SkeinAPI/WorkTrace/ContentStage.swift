// SPDX-License-Identifier: Apache-2.0
package import SkeinAgents
import SkeinBase
package import SkeinModel
package import SkeinPipeline

/// Leaves content out of what agents send, or cuts it, as ``WorkContent`` says of the WorkTrace API: the same for spans and log
/// records that come by any other way.
package struct ContentStage: IntakeStage {
    private let filter: ContentFilter
    private let rows: ContentFilter.Rows
    private let changed: Counter

    package init(_ content: WorkContent, of rows: ContentFilter.Rows, telemetry: Telemetry) {
        filter = ContentFilter(isKept: content.isKept, byteCountMax: content.byteCountMax)
        self.rows = rows
        changed = telemetry.counter(
            "skein_content_values_total",
            "Prompts, arguments, results and messages of agents that were not kept as they came, by what was done.",
            ["signal": rows == .spans ? "spans" : "logs", "change": content.isKept ? "cut" : "dropped"]
        )
    }

    package func process(_ batch: SpanBatch, from source: IntakeSource) throws(Refusal) -> SpanBatch {
        let filtered = filter.filtered(batch, of: rows)
        if filtered.changedCount > 0 { changed.add(filtered.changedCount) }
        return filtered.batch
    }
}
