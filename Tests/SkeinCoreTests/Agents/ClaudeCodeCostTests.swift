// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite struct ClaudeCodeCostTests {
    private static func call(_ id: UInt64, _ response: String?, _ tokens: (Int64, Int64)) -> ClientSpan {
        var span = ClientSpan(
            "claude_code.llm_request",
            [
                "model": "claude-5", "input_tokens": .int(tokens.0), "output_tokens": .int(tokens.1),
                "cache_read_tokens": 100,
            ]
        )
        if let response { span.attributes.append(Attribute("gen_ai.response.id", .string(response))) }
        span.id = id
        return span
    }

    private static func record(
        _ request: String?,
        usd: AttributeValue,
        tokens: (Int64, Int64) = (0, 0),
        span: UInt64 = 1,
        scope: String = "com.anthropic.claude_code.events"
    ) -> LogRecord {
        var record = LogRecord(
            traceID: TraceID(high: 7, low: 9),
            spanID: SpanID(span),
            timeUnixNanos: 9,
            body: "claude_code.api_request"
        )
        record.scope.name = scope
        record.attributes = [
            Attribute("event.name", "api_request"), Attribute("cost_usd", usd), Attribute("model", "claude-5"),
            Attribute("input_tokens", .int(tokens.0)), Attribute("output_tokens", .int(tokens.1)),
            Attribute("cache_read_tokens", 100),
        ]
        if let request { record.attributes.append(Attribute("request_id", .string(request))) }
        return record
    }

    private static func costs(_ records: [LogRecord], _ spans: [ClientSpan]) -> [Double?] {
        var read = spans.read
        ClaudeCodeCosts.add(LogBatch(records: records).rows, to: &read)
        return read.map { $0.usage?.usd }
    }

    @Test func `each call gets the cost of its own record`() {
        let interaction = ClientSpan("claude_code.interaction")
        let calls = [
            interaction, Self.call(2, "req_a", (10, 5)), Self.call(3, "req_b", (20, 5)), Self.call(4, nil, (30, 5)),
            Self.call(5, nil, (40, 5)),
        ]
        let records = [
            Self.record("req_b", usd: "0.25"), Self.record("req_a", usd: 0.5), Self.record("req_x", usd: 9),
            Self.record("req_y", usd: 0.125, span: 5), Self.record(nil, usd: 0.0625, tokens: (30, 5)),
        ]
        #expect(Self.costs(records, calls) == [nil, 0.5, 0.25, 0.0625, 0.125])
    }

    @Test func `other records, other agents and bad numbers change nothing`() {
        let call = Self.call(2, "req_a", (10, 5))
        #expect(Self.costs([Self.record("req_a", usd: 0.5, scope: "shop")], [call]) == [nil])
        #expect(Self.costs([Self.record("req_a", usd: "much")], [call]) == [nil])
        #expect(Self.costs([Self.record("req_a", usd: -1)], [call]) == [nil])
        let other = ClientSpan("chat", ["gen_ai.operation.name": "chat", "gen_ai.response.id": "req_a"])
        #expect(Self.costs([Self.record("req_a", usd: 0.5)], [other]) == [nil])
        // Two records of one call, of which one was sent twice under another time, count once.
        let twice = [Self.record("req_a", usd: 0.5), Self.record("req_a", usd: 0.5)]
        #expect(Self.costs(twice, [call]) == [0.5])
    }
}
