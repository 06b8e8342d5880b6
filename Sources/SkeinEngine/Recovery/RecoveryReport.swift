// SPDX-License-Identifier: Apache-2.0

/// What opening a store found and did, for the operator to read.
public struct RecoveryReport: Hashable, Sendable {
    /// Blocks opened.
    public var blockCount = 0
    /// Log segments read back into the head.
    public var segmentCount = 0
    /// Spans that came from the log.
    public var replayedSpanCount = 0
    /// Bytes of records that were being written when the store last stopped, and were not acknowledged.
    public var tornByteCount = 0
    /// Files left behind by unfinished work, removed.
    public var strayFileCount = 0
    /// Files that do not check, moved to `quarantine/`.
    public var quarantinedCount = 0
    /// What an operator should know, in whole sentences; empty when all was well.
    public var problems: [String] = []
    /// Nanoseconds that opening took.
    public var durationNanos: UInt64 = 0

    /// A report of nothing done.
    public init() {}
}
