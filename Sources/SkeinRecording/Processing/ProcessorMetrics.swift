// SPDX-License-Identifier: Apache-2.0
import CoreMetrics
import Synchronization

/// What a processor and its exporter do, through swift-metrics (OpenTelemetry semantic conventions, "SDK metrics"). Told a batch at
/// a time, away from whoever ends spans.
final class ProcessorMetrics: Sendable {
    private let processor: [(String, String)]
    private let exporter: [(String, String)]
    /// Drops that were told so far.
    private let toldDroppedCounts = Mutex<[DropReason: Int]>([:])

    /// Components are numbered in the order in which they are made.
    private static let count = Atomic(0)

    /// `error.type` of spans that a processor does not pass on.
    enum DropReason: String {
        case queueFull = "queue_full"
        case shutdown = "already_shutdown"
    }

    init(type: String, exporter exporterType: String) {
        let number = Self.count.add(1, ordering: .relaxed).oldValue
        processor = [("otel.component.type", type), ("otel.component.name", "\(type)/\(number)")]
        exporter = [("otel.component.type", exporterType), ("otel.component.name", "\(exporterType)/\(number)")]
    }

    func capacity(_ count: Int) {
        Gauge(label: "otel.sdk.processor.span.queue.capacity", dimensions: processor).record(count)
    }

    func queued(_ count: Int) {
        Gauge(label: "otel.sdk.processor.span.queue.size", dimensions: processor).record(count)
    }

    /// `total` is the number of spans that were ever dropped for this reason. Returns how many of them are new.
    @discardableResult
    func dropped(_ total: Int, _ reason: DropReason) -> Int {
        let new = toldDroppedCounts.withLock { told in
            let before = told[reason] ?? 0
            told[reason] = max(before, total)
            return total - before
        }
        if new > 0 {
            Counter(
                label: "otel.sdk.processor.span.processed",
                dimensions: processor + [("error.type", reason.rawValue)]
            )
            .increment(by: new)
        }
        return new
    }

    func exported(_ count: Int, _ result: ExportResult, _ duration: Duration) {
        Counter(label: "otel.sdk.processor.span.processed", dimensions: processor).increment(by: count)
        let failedCount =
            switch result {
            case .done: 0
            case .partlyRejected(let count, _): count
            case .failed: count
            }
        if failedCount < count {
            Counter(label: "otel.sdk.exporter.span.exported", dimensions: exporter).increment(by: count - failedCount)
        }
        let failure = [("error.type", failedCount == count ? "export_failed" : "rejected")]
        if failedCount > 0 {
            Counter(label: "otel.sdk.exporter.span.exported", dimensions: exporter + failure).increment(by: failedCount)
        }
        let (seconds, attoseconds) = duration.components
        CoreMetrics.Timer(
            label: "otel.sdk.exporter.operation.duration",
            dimensions: failedCount > 0 ? exporter + failure : exporter
        ).recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
