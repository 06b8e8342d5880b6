// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What a decoder made of one request: the good spans, and a count of the others.
package struct DecodedSpans: Sendable {
    /// The spans that were accepted.
    package var batch: SpanBatch
    /// How many spans were left out, and why. Empty when all were good.
    package var rejected: [RejectionReason: Int] = [:]
    /// What was wrong with the first rejected span, for the client's eyes; empty when none was rejected.
    package var firstMessage = ""
    /// What was left out of accepted spans, since they had too much of it.
    package var dropped = DroppedItems()
    /// What the client should change although everything was accepted; empty for nothing.
    package var warning = ""

    /// The spans of `batch`, and nothing rejected.
    package init(batch: SpanBatch) { self.batch = batch }

    /// Spans that could be read.
    package var accepted: Int { batch.count }
    /// Spans that could not be read.
    package var rejectedCount: Int { rejected.values.reduce(0, +) }
}

/// What a decoder made of one request with log records: those of traces, and a count of the others.
package struct DecodedLogs: Sendable {
    /// The records that were accepted.
    package var batch: LogBatch
    /// How many records were left out, and why.
    package var rejected: [RejectionReason: Int]
    /// What was wrong with the first rejected record.
    package var firstMessage: String
    /// What was left out of accepted records.
    package var dropped: DroppedItems
    /// What the client should change although everything was accepted; empty for nothing.
    package var warning: String

    init(_ decoded: DecodedSpans) {
        batch = LogBatch(identifying: decoded.batch)
        rejected = decoded.rejected
        firstMessage = decoded.firstMessage
        dropped = decoded.dropped
        warning = decoded.warning
    }

    /// Records left out.
    package var rejectedCount: Int { rejected.values.reduce(0, +) }
}

/// Why a span of an otherwise good request was left out. Raw values are the labels of the counter.
package enum RejectionReason: String, Hashable, Sendable, CaseIterable {
    /// The trace id is not 16 bytes, or all zero.
    case invalidTraceID = "invalid_trace_id"
    /// The span id is not 8 bytes, or all zero.
    case invalidSpanID = "invalid_span_id"
    /// The parent's id is neither empty nor 8 bytes.
    case invalidParentSpanID = "invalid_parent_span_id"
    /// An attribute of the span, its resource or its scope nests deeper than `EncodedValue.maxDepth`.
    case valueTooDeep = "value_too_deep"
    /// The start is no moment.
    case invalidTime = "invalid_time"
    /// A log record that belongs to no trace.
    case noTraceID = "no_trace_id"
}

/// Counts rejected spans while a decoder runs.
struct Rejections {
    private(set) var counts: [RejectionReason: Int] = [:]
    private(set) var firstMessage = ""

    /// Counts one span; `message` is kept when it is the first.
    mutating func add(_ reason: RejectionReason, _ message: @autoclosure () -> String) {
        if counts.isEmpty { firstMessage = message() }
        counts[reason, default: 0] += 1
    }
}
