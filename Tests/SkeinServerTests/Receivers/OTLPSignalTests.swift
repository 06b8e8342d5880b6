// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import SkeinTestKit
import Testing

/// What OTLP answers to signals other than traces.
struct OTLPSignalTests {
    private static let json = [("content-type", "application/json")]

    private static func logs(_ records: String) -> [UInt8] {
        Array(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(records)]}]}]}"#.utf8)
    }

    private static let record =
        #"{"timeUnixNano":"5","traceId":"00000000000000010000000000000002","spanId":"0000000000000003","#
        + #""body":{"stringValue":"hello"}}"#

    @Test func `log records of traces are stored, and others said to be left out`() async throws {
        let fixture = Fixture()
        try await fixture.withHTTP { port in
            let stored = try await Answer.of(port, "/v1/logs", Self.json, body: Self.logs(Self.record))
            #expect(stored.status == 200 && stored.text == "{}")
            let other = Self.record + #",{"body":{"stringValue":"of no trace"}}"#
            let partly = try await Answer.of(port, "/v1/logs", Self.json, body: Self.logs(other))
            #expect(partly.status == 200)
            #expect(partly.text.contains(#""rejectedLogRecords":"1""#) && partly.text.contains("have no trace id"))
            let bad = try await Answer.of(port, "/v1/logs", Self.json, body: Array("{".utf8))
            #expect(bad.status == 400)
        }
        let list = try await fixture.logs.logRecords(ofTrace: TraceID(high: 1, low: 2), span: nil, limit: 9)
        #expect(list.batch.records.map(\.body) == ["hello"])
        #expect(fixture.logCounters.received.value == 3 && fixture.logCounters.accepted.value == 2)
        #expect(fixture.logCounters.rejected(.noTrace) == 1)
    }

    @Test func `metrics are acknowledged and counted as not stored`() async throws {
        let fixture = Fixture()
        let body = #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{},{}]}}]}]}]}"#
        try await fixture.withHTTP { port in
            let answer = try await Answer.of(port, "/v1/metrics", Self.json, body: Array(body.utf8))
            #expect(answer.status == 200 && answer.text == "{}")
        }
        var text = PrometheusText()
        fixture.telemetry.write(to: &text)
        #expect(text.text.contains("\nskein_unstored_metric_points_total 2\n"))
        #expect(fixture.counters.bytes.value == UInt64(body.utf8.count))
    }

    @Test func `the bytes of log records are counted, and their services limited, as those of spans`() async throws {
        let limits = RateLimits(.init(spans: 1), of: "log records", clock: SimulatedClock())
        let fixture = Fixture(logStages: [limits])
        let body = Self.logs(Self.record + "," + Self.record)
        try await fixture.withHTTP { port in
            let stored = try await Answer.of(port, "/v1/logs", Self.json, body: body)
            #expect(stored.status == 200)
            let refused = try await Answer.of(port, "/v1/logs", Self.json, body: body)
            #expect(refused.status == 429 && refused.text.contains("more than 1 log records a second"))
            #expect(refused.header("retry-after") == "2")
        }
        #expect(fixture.counters.bytes.value == UInt64(2 * body.count))
        #expect(fixture.logCounters.received.value == 4 && fixture.logCounters.accepted.value == 2)
    }

    @Test func `spans that their trace has no room for are told`() async throws {
        let fixture = Fixture(traceSpans: 2)
        let body = Request.protobuf((1...3).map { Request.span($0) })
        try await fixture.withHTTP { port in
            let answer = try await Answer.of(port, body: body)
            #expect(answer.status == 200)
            // partial_success { rejected_spans: 1, error_message: "1 spans…" }
            #expect(Array(answer.body.dropFirst(3).prefix(2)) == [0x08, 1])
            #expect(
                answer.text.contains("1 spans were left out") && answer.text.contains("raise trace-spans-taken-max")
            )
        }
        #expect(try await fixture.names(Request.traceID).count == 2)
        #expect(fixture.counters.acceptedSpans.value == 2 && fixture.counters.rejected(.traceFull) == 1)
    }

    @Test func `gRPC takes all three`() async throws {
        let fixture = Fixture()
        let package = "/opentelemetry.proto.collector"
        // A log record of trace 1:2.
        let id: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]
        let record: [UInt8] = [0x4a, 16] + id
        func wrapped(_ number: UInt8, _ body: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(body.count)] + body }
        let logs = wrapped(1, wrapped(2, wrapped(2, record)))
        try await fixture.withGRPC { port in
            try await GRPCClient.with(port) { client in
                let stored = try await client.call(
                    package + ".logs.v1.LogsService/Export",
                    parts: [GRPCClient.frame(logs)]
                )
                #expect(stored.status == "0" && stored.data == [0, 0, 0, 0, 0])
                let metrics = try await client.call(
                    package + ".metrics.v1.MetricsService/Export",
                    parts: [GRPCClient.frame([])]
                )
                #expect(metrics.status == "0")
                let profiles = try await client.call(
                    package + ".profiles.v1development.ProfilesService/Export",
                    parts: [GRPCClient.frame([])]
                )
                #expect(profiles.status == "12")
            }
        }
        #expect(fixture.logCounters.accepted.value == 1)
    }
}
