// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinTestKit
import Testing

/// What senders may send.
@Suite struct LimitTests {
    private static let source = IntakeSource(protocolName: "test")

    private static func spans(_ count: Int, service: String = "shop", trace: UInt64 = 1) -> [SkeinModel.Span] {
        (1...max(count, 1)).map { number in
            var span = SkeinModel.Span(
                traceID: TraceID(high: 1, low: trace),
                spanID: SpanID(UInt64(number)),
                name: "work",
                startUnixNanos: 1_000,
                durationNanos: 10
            )
            span.resource.attributes = [Attribute("service.name", .string(service))]
            return span
        }
    }

    @Test func `a service that sends too much is refused until it has paid off`() throws {
        let clock = SimulatedClock()
        let limits = RateLimits(.init(spans: 100), clock: clock)
        func send(_ count: Int, _ service: String = "shop") -> Bool {
            (try? limits.process(SpanBatch(spans: Self.spans(count, service: service)), from: Self.source)) != nil
        }
        #expect(send(250))
        #expect(!send(1))
        #expect(send(1, "other"))
        clock.advance(by: .milliseconds(1_400))
        #expect(!send(1))
        clock.advance(by: .milliseconds(200))
        #expect(send(1))
        let error = #expect(throws: Refusal.self) {
            _ = try limits.process(SpanBatch(spans: Self.spans(500)), from: Self.source)
            _ = try limits.process(SpanBatch(spans: Self.spans(1)), from: Self.source)
        }
        #expect(error?.reason == .rateLimited && error?.reason.isRetryable == true)
        #expect(error?.message.contains("\"shop\" sends more than 100 spans a second") == true)
    }

    @Test func `services are forgotten when they owe nothing, and those that owe are not`() throws {
        let clock = SimulatedClock()
        let limits = RateLimits(.init(spans: 1), clock: clock)
        _ = try limits.process(SpanBatch(spans: Self.spans(100, service: "owing")), from: Self.source)
        for number in 0..<10_050 {
            clock.advance(by: .milliseconds(1))
            _ = try limits.process(SpanBatch(spans: Self.spans(1, service: "s\(number)")), from: Self.source)
        }
        #expect(throws: Refusal.self) {
            try limits.process(SpanBatch(spans: Self.spans(1, service: "owing")), from: Self.source)
        }
    }

    @Test func `nothing is charged for a request that is refused`() throws {
        let limits = RateLimits(.init(spans: 10), clock: SimulatedClock())
        _ = try limits.process(SpanBatch(spans: Self.spans(20, service: "loud")), from: Self.source)
        let mixed = SpanBatch(spans: Self.spans(5, service: "quiet") + Self.spans(1, service: "loud", trace: 2))
        #expect(throws: Refusal.self) { try limits.process(mixed, from: Self.source) }
        _ = try limits.process(SpanBatch(spans: Self.spans(10, service: "quiet")), from: Self.source)
        #expect(throws: Refusal.self) {
            try limits.process(SpanBatch(spans: Self.spans(1, service: "quiet")), from: Self.source)
        }
    }

    @Test func `long texts are cut between characters and say so`() throws {
        var span = Self.spans(1)[0]
        span.attributes = [
            Attribute("long", .string(String(repeating: "é", count: 20))), Attribute("short", "0123456789"),
            Attribute("bytes", .bytes([UInt8](repeating: 1, count: 50))),
        ]
        let limit = ValueLimit(byteCountMax: 17, telemetry: Telemetry())
        let cut = try limit.process(SpanBatch(spans: [span]), from: Self.source).spans[0]
        #expect(cut.attributes["long"] == .string(String(repeating: "é", count: 8) + "… [24 of 40 bytes cut]"))
        #expect(cut.attributes["short"] == "0123456789")
        #expect(cut.attributes["bytes"] == .bytes([UInt8](repeating: 1, count: 50)))
    }

    @Test func `the spans of a trace beyond a number are left out`() throws {
        let limit = TraceSpanLimit(spanCountMax: 5, telemetry: Telemetry())
        #expect(try limit.process(SpanBatch(spans: Self.spans(3)), from: Self.source).count == 3)
        let next = try limit.process(SpanBatch(spans: Self.spans(3) + Self.spans(2, trace: 2)), from: Self.source)
        #expect(next.count == 4)
        #expect(try limit.process(SpanBatch(spans: Self.spans(1)), from: Self.source).isEmpty)
    }
}
