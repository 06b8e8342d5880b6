// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline
import SkeinStore

/// How `/metrics` shows the figures of a store: which only ever grow while the process runs, and what each one says.
enum StoreFigures {
    /// What grows, by the name that the store gives it; shown with `_total`.
    static let counters: [String: String] = [
        "blocks_mended": "Blocks that were found damaged and written anew, or put aside.",
        "blocks_removed": "Blocks that retention removed whole.",
        "blocks_thinned": "Blocks written anew without what rules of retention or removals took out of them.",
        "cache_hits": "Parts of blocks that were found decoded in memory.",
        "cache_misses": "Parts of blocks that had to be read and decoded.",
        "duplicates_dropped": "Copies of spans that merging dropped.",
        "log_syncs": "Syncs of the log, each for one request or many.",
        "log_syncs_failed": "Syncs of the log that the disk refused.",
        "log_written_bytes": "Bytes written to the log.",
        "merged_bytes": "Bytes written by merging, thinning and removing.",
        "merged_spans": "Spans in the blocks that merging, thinning and removing wrote.",
        "merged_spans_copied": "Those of them whose row groups were copied as they are.",
        "merges": "Merges of several blocks to one.",
        "rollup_overflow_spans": "Spans that statistics count under no name, since there were too many names.",
        "seals": "Blocks made of what was in memory.",
        "service_numbers_refused": "Times a service name came when no number was left to give.",
        "spans_lost": "Spans that could not be read any more in damaged blocks.",
        "spans_thinned": "Spans that rules of retention or removals took out of blocks.",
    ]

    /// What comes and goes, by the name that the store gives it.
    static let gauges: [String: String] = [
        "block_bytes": "Bytes of all blocks.",
        "blocks": "Blocks.",
        "cache_bytes": "Bytes of decoded parts of blocks in memory.",
        "damaged_blocks": "Blocks that were found damaged and are still in use.",
        "disk_free_bytes": "Bytes that are free on the disk of the data folder.",
        "folder_bytes": "Bytes of the data folder without what is in quarantine.",
        "head_bytes": "Bytes in memory of spans that are in no block yet.",
        "head_spans": "Spans that are in no block yet.",
        "log_records": "Log records of traces, copies included.",
        "log_bytes": "Bytes of the log of spans that are in no block yet.",
        "log_segments": "Files of the log.",
        "oldest_received_unix_seconds":
            "When the oldest span of the blocks came, in seconds since 1970; 0 without blocks.",
        "pinned_traces": "Traces that somebody pinned, of 100,000.",
        "quarantined": "Files that did not check and were put aside.",
        "rollup_bytes": "Bytes of sums by the minute and the hour.",
        "rollups": "Files of sums by the minute and the hour.",
        "service_numbers": "Services that were given a number, of 100,000.",
        "traces": "Traces.",
    ]

    /// Writes every figure, counters and gauges by the names above, others as gauges.
    static func write(_ figures: [String: Int], to text: inout PrometheusText) {
        for (name, value) in figures.sorted(by: { $0.key < $1.key }) {
            if let help = counters[name] {
                text.family("skein_store_\(name)_total", .counter, help)
                text.sample("skein_store_\(name)_total", "", Double(value))
            } else {
                text.family("skein_store_\(name)", .gauge, gauges[name] ?? "The store's figure \(name).")
                text.sample("skein_store_\(name)", "", Double(value))
            }
        }
    }
}
