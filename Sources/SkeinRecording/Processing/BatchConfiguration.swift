// SPDX-License-Identifier: Apache-2.0

/// When a ``BatchSpanProcessor`` exports, and how much waits for it (OpenTelemetry tracing SDK, "Batching processor").
public struct BatchConfiguration: Hashable, Sendable {
    /// Spans that may wait; those that end beyond are dropped and counted. 1 to 1,048,576; 2,048 unless it is set.
    /// `OTEL_BSP_MAX_QUEUE_SIZE`
    public var queueSizeMax = 2_048
    /// How long spans wait for others at most; with zero they are exported at once. 5 s unless it is set.
    /// `OTEL_BSP_SCHEDULE_DELAY`, in milliseconds
    public var scheduledDelay = Duration.seconds(5)
    /// How long one export may take; zero for as long as it likes. 30 s unless it is set.
    /// `OTEL_BSP_EXPORT_TIMEOUT`, in milliseconds
    public var exportTimeout = Duration.seconds(30)
    /// Spans of one export; as soon as so many wait they are exported. 1 to ``queueSizeMax``; 512 unless it is set.
    /// `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`
    public var exportBatchSizeMax = 512

    /// What the specification has.
    public init() {}

    package static let queueSizes = 1...1_048_576

    /// With what makes no sense replaced by the nearest that does.
    var bounded: BatchConfiguration {
        var bounded = self
        bounded.queueSizeMax = min(max(queueSizeMax, 1), Self.queueSizes.upperBound)
        bounded.exportBatchSizeMax = min(max(exportBatchSizeMax, 1), bounded.queueSizeMax)
        bounded.scheduledDelay = max(scheduledDelay, .zero)
        bounded.exportTimeout = exportTimeout > .zero ? exportTimeout : .seconds(Int64(Int32.max))
        return bounded
    }
}
