// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import SkeinBase
import SkeinCompression
package import SkeinPipeline
import SkeinWire

/// One OTLP export of metrics, which are acknowledged so that senders of several signals need not be told apart, and not
/// stored: how many points there were is counted.
package struct MetricExport: Sendable {
    private let budget: ByteBudget
    private let points: Counter
    private let reader: BodyReader

    /// An export of requests up to `bytesMax` bytes after decompression, each counted against `budget`.
    package init(budget: ByteBudget, telemetry: Telemetry, bytesMax: Int, clock: any WallClock = SystemClock()) {
        self.budget = budget
        points = telemetry.counter(
            "skein_unstored_metric_points_total",
            "Data points of metrics that were acknowledged and, since Skein keeps none, not stored."
        )
        reader = BodyReader(bytesMax: bytesMax, clock: clock)
    }

    func receive(
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        encoding: TraceExport.Encoding,
        memory: HeldMemory? = nil
    ) throws(Refusal) {
        let memory = memory ?? HeldMemory(budget)
        let count = try reader.read(body, coding: coding, memory: memory) { bytes, _ throws(WireError) -> Int in
            switch encoding {
            case .protobuf: try OTLP.MetricPoints.count(protobuf: bytes)
            case .json: try OTLP.MetricPoints.count(json: bytes)
            }
        }
        points.add(count)
    }
}
