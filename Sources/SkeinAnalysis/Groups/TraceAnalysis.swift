// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What is learnt from many traces, one after the other, in bounded memory.
///
/// What is learnt of parts of the traces adds up to what is learnt of all; only which few names and traces are kept as
/// examples, and what lies beyond a limit, may depend on the order.
package protocol TraceAnalysis: Sendable {
    /// Traces added.
    var traceCount: Int { get }
    /// Bytes of memory that it takes, about.
    var byteCount: Int { get }

    /// Adds a trace; `batch` holds all of its spans, each once, with the columns that the analysis reads.
    mutating func add(_ batch: SpanBatch)
    /// Adds what was learnt of other traces.
    mutating func merge(_ other: Self)
}
