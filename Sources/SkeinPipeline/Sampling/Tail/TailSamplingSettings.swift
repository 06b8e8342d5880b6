// SPDX-License-Identifier: Apache-2.0

/// When a tail sampler decides, and how much it holds until then. Names and defaults are those of the tail sampling processor
/// of the OpenTelemetry collector, but for the decision caches, which are off there.
package struct TailSamplingSettings: Hashable, Sendable {
    /// From the first span of a trace to its decision.
    package var decisionWaitNanos: UInt64 = 30_000_000_000
    /// From the root of a trace to its decision, if that is earlier; 0 waits for ``decisionWaitNanos`` anyway.
    package var decisionWaitAfterRootNanos: UInt64 = 0
    /// Traces that wait at once; when one more comes the oldest is decided at once.
    package var traceCountMax = 50_000
    /// Refuses what comes when so many traces wait, so that the sender tries again, instead of deciding early.
    package var blocksOnOverflow = false
    /// A trace that is larger, in bytes as OTLP, is dropped; `nil` for no bound.
    package var traceByteCountMax: Int?
    /// Kept traces whose late spans are kept too.
    package var keptCacheSize = 50_000
    /// Dropped traces whose late spans are dropped too.
    package var droppedCacheSize = 50_000
    /// Drops what waits at the end instead of deciding about it.
    package var dropsPendingAtShutdown = false

    package init() {}
}
