// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinTraceQL

/// `tempopb.QueryRangeResponse`, or `tempopb.QueryInstantResponse` for a single moment.
///
///     QueryRangeResponse   { 1 series*, 2 metrics, 3 status, 4 message }
///     TimeSeries           { 1 labels*, 2 samples* { 1 value, 2 timestamp_ms }, 4 exemplars* }
///     Exemplar             { 1 labels*, 2 value, 3 timestamp_ms }
///     QueryInstantResponse { 1 series* { 1 labels*, 2 value }, 2 metrics, 3 status, 4 message }
struct TempoSeriesAnswer: Message {
    var answer: SeriesAnswer
    var grid: SeriesGrid
    var isInstant: Bool

    /// Memory that the series take.
    var byteCount: Int { answer.series.count * (512 + grid.count * 16) }

    func write<Writer: MessageWriter & ~Copyable>(to writer: inout Writer, _ room: inout AnswerRoom) throws(APIError) {
        let series = isInstant ? answer.series.filter { $0.values.first ?? nil != nil } : answer.series
        try writer.list(1, "series", required: true, series) { series, writer throws(APIError) in
            writer.list(1, "labels", required: true, series.labels) { $1.keyValue($0.name, $0.value) }
            if isInstant {
                writer.field(2, "value", double: (series.values.first ?? nil) ?? 0)
            } else {
                write(series, to: &writer)
            }
            try room.hold(writer.count)
        }
        writer.field(2, "metrics") { TempoMetrics(inspectedSpanCount: answer.inspectedSpanCount).write(to: &$0) }
        guard answer.isCut else { return }
        writer.field(3, "status", word: "PARTIAL", number: 1)
        writer.field(
            4,
            "message",
            text:
                "The answer has the first \(answer.series.count) of \(answer.seriesCount) series, each of them exact: "
                + "raise maxSeries, or group by less."
        )
    }

    private func write<Writer: MessageWriter & ~Copyable>(_ series: Series, to writer: inout Writer) {
        let samples = series.values.enumerated().compactMap { moment, value in
            value.map { (millis: grid.moment(moment) / 1_000_000, value: $0) }
        }
        writer.list(2, "samples", required: true, samples) { sample, writer in
            writer.field(2, "timestampMs", uint64: sample.millis)
            writer.field(1, "value", double: sample.value)
        }
        writer.list(4, "exemplars", required: false, series.exemplars) { exemplar, writer in
            let labels: [Series.Label] = [
                .init("trace:id", .string(exemplar.traceID.description)),
                .init("span:id", .string(exemplar.spanID.description)),
            ]
            writer.list(1, "labels", required: true, labels) { $1.keyValue($0.name, $0.value) }
            writer.field(2, "value", double: exemplar.value)
            writer.field(3, "timestampMs", uint64: exemplar.startUnixNanos / 1_000_000)
        }
    }
}
