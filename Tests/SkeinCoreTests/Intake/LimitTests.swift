// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Synchronization
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

    @Test func `a request of more services than are told apart passes once, like any other`() throws {
        let limits = RateLimits(.init(spans: 10), clock: SimulatedClock())
        let spans = (0..<10_100).flatMap { Self.spans(1, service: "s\($0)", trace: UInt64($0 + 1)) }
        _ = try limits.process(SpanBatch(spans: spans), from: Self.source)
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
            Attribute("list", .array(["a", .map([Attribute("inner", "0123456789abcdefghij"), Attribute("n", 1)])])),
            Attribute("numbers", .array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])),
        ]
        span.name = "a name of some length"
        span.status = .init(.error, message: "a message of some length")
        span.events = [.init(timeUnixNanos: 1, name: "an event of some length")]
        let limit = ValueLimit(byteCountMax: 17, telemetry: Telemetry())
        let cut = try limit.process(SpanBatch(spans: [span]), from: Self.source).spans[0]
        #expect(cut.attributes["long"] == .string(String(repeating: "é", count: 8) + "… [24 of 40 bytes cut]"))
        #expect(cut.attributes["short"] == "0123456789")
        #expect(cut.attributes["bytes"] == .bytes([UInt8](repeating: 1, count: 17)))
        let inner = AttributeValue.string("0123456789abcdefg… [3 of 20 bytes cut]")
        #expect(
            cut.attributes["list"] == .array(["a", .map([Attribute("inner", inner), Attribute("n", 1)])])
        )
        #expect(cut.attributes["numbers"] == span.attributes["numbers"])
        #expect(cut.name == "a name of some le… [4 of 21 bytes cut]")
        #expect(cut.status.message == "a message of some… [7 of 24 bytes cut]")
        #expect(cut.events[0].name == "an event of some … [6 of 23 bytes cut]")
    }

    private static func pipeline(
        _ store: any SpanStore,
        traceSpans: Int? = nil,
        _ stages: [any IntakeStage] = [],
        _ telemetry: Telemetry = Telemetry()
    ) -> Pipeline {
        Pipeline(
            store: store,
            traceLimit: traceSpans.map { TraceSpanLimit(spanCountMax: $0) },
            stages: stages,
            budget: ByteBudget(limit: 64 << 20),
            telemetry: telemetry
        )
    }

    @Test func `the spans of a trace beyond a number are left out, told and counted`() async throws {
        let telemetry = Telemetry()
        let counters = IngestCounters(protocol: "test", in: telemetry)
        let pipeline = Self.pipeline(MemoryStore(), traceSpans: 5, [], telemetry)
        func send(_ spans: [SkeinModel.Span]) async throws -> Int {
            try await pipeline.submit(SpanBatch(spans: spans), counters: counters)
        }
        #expect(try await send(Self.spans(3)) == 0)
        #expect(try await send(Self.spans(3) + Self.spans(2, trace: 2)) == 1)
        #expect(try await send(Self.spans(1)) == 1)
        #expect(counters.acceptedSpans.value == 7 && counters.rejected(.traceFull) == 2)
        #expect(pipeline.overflowMessage(2).contains("trace-spans-taken-max"))
    }

    @Test func `spans that were not stored do not fill their trace`() async throws {
        let telemetry = Telemetry()
        let counters = IngestCounters(protocol: "test", in: telemetry)
        let store = BusyStore(MemoryStore(), refusals: 2)
        let pipeline = Self.pipeline(store, traceSpans: 5, [], telemetry)
        for _ in 0..<2 {
            await #expect(throws: Refusal.self) {
                _ = try await pipeline.submit(SpanBatch(spans: Self.spans(4)), counters: counters)
            }
        }
        #expect(try await pipeline.submit(SpanBatch(spans: Self.spans(5)), counters: counters) == 0)
    }

    @Test(arguments: [(100, 1), (150, 1), (250, 2), (399, 3), (1_000, 10), (1_000_000, 60)])
    func `a sender is told to wait until nothing is owed`(count: Int, seconds: Int) throws {
        let clock = SimulatedClock()
        let limits = RateLimits(.init(spans: 100), clock: clock)
        _ = try limits.process(SpanBatch(spans: Self.spans(count)), from: Self.source)
        let one = SpanBatch(spans: Self.spans(1))
        let error = #expect(throws: Refusal.self) { _ = try limits.process(one, from: Self.source) }
        #expect(error?.retryAfterSeconds == seconds)
        guard seconds < 60 else { return }
        clock.advance(by: .seconds(seconds))
        _ = try limits.process(one, from: Self.source)
    }
}

/// A store that has no room at first.
private final class BusyStore: StoreWrapper {
    let wrapped: any SpanStore
    private let refusals: Mutex<Int>

    init(_ wrapped: any SpanStore, refusals: Int) {
        self.wrapped = wrapped
        self.refusals = Mutex(refusals)
    }

    func append(_ batch: SpanBatch) async throws(StoreError) {
        let refuses = refusals.withLock { left in
            left -= 1
            return left >= 0
        }
        if refuses { throw StoreError(.unavailable, "busy") }
        try await wrapped.append(batch)
    }
}
