// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

@Suite struct PlainJSONTests {
    static let text = #"""
        {"traceId":"abc1","spanId":"2","parentSpanId":"1","operationName":"GET /","serviceName":"shop",
        "startTime":"2026-11-22T10:00:00.25+01:00","duration":1.5,"kind":"SERVER",
        "tags":{"s":"text","i":-7,"d":1.5,"b":true,"none":null,"list":["a",1,[false]],"map":{"k":{"l":9}},
        "error":true,"otel.status_description":"boom"},"region":"eu",
        "logs":[{"timestamp":"2026-11-22T09:00:00.251Z","message":"begun","n":1},{"message":"no time"},"bare",
        {"timestamp":1795338000252,"event":"retry","message":"again"}]}
        """#

    static var span: SkeinModel.Span {
        let start: UInt64 = 1_795_338_000_250_000_000
        var span = SkeinModel.Span(
            traceID: TraceID(high: 0, low: 0xabc1),
            spanID: SpanID(2),
            parentSpanID: SpanID(1),
            name: "GET /",
            kind: .server,
            startUnixNanos: start,
            durationNanos: 1_500_000
        )
        span.status = .init(.error, message: "boom")
        span.attributes = [
            Attribute("s", "text"), Attribute("i", -7), Attribute("d", 1.5), Attribute("b", true),
            Attribute("none", .null), Attribute("list", .array(["a", 1, .array([false])])),
            Attribute("map", .map([Attribute("k", .map([Attribute("l", 9)]))])), Attribute("region", "eu"),
        ]
        span.events = [
            .init(timeUnixNanos: start + 1_000_000, name: "begun", attributes: [Attribute("n", 1)]),
            .init(timeUnixNanos: start, name: "no time"), .init(timeUnixNanos: start, name: "bare"),
            .init(timeUnixNanos: start + 2_000_000, name: "retry", attributes: [Attribute("message", "again")]),
        ]
        span.resource.attributes = [Attribute("service.name", "shop")]
        return span
    }

    @Test(arguments: ["\(text)", "[\(text)]"])
    func `every member is read`(text: String) throws {
        let decoded = try Plain.decode(json: text)
        #expect(decoded.batch.spans == [Self.span])
        #expect(decoded.batch.serviceName(at: 0) == "shop" && decoded.rejected.isEmpty)
    }

    static func span(_ members: String) throws -> SkeinModel.Span {
        let text = #"{"traceId":"1","spanId":"2","startTime":0\#(members.isEmpty ? "" : ",")\#(members)}"#
        return try #require(try Plain.decode(json: text).batch.spans.first)
    }

    @Test(arguments: [
        (#""2""#, TraceID(high: 0, low: 2)), (#""00AB""#, TraceID(high: 0, low: 0xab)),
        ("17", TraceID(high: 0, low: 0x17)),
        (#""0af7651916cd43dd8448eb211c80319c""#, TraceID(high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c)),
        (#""0af76519-16cd-43dd-8448-eb211c80319c""#, TraceID(high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c)),
        (#""trace-1""#, TraceID(high: 0x3f34_3f2e_264f_f78d, low: 0xdf88_2912_caaf_3a10)),
    ])
    func `ids are hexadecimal, or any text`(id: String, traceID: TraceID) throws {
        let span = try #require(
            try Plain.decode(json: #"{"traceId":\#(id),"spanId":"a","startTime":0}"#).batch.spans.first
        )
        #expect(span.traceID == traceID)
        #expect(span.attributes == (id.contains("trace") ? [Attribute("original.trace_id", "trace-1")] : []))
    }

    @Test func `a made id is the same wherever it is referred to`() throws {
        let text =
            #"[{"traceId":"t","spanId":"a b","startTime":0},{"traceId":"t","spanId":"2","parentSpanId":"a b","startTime":0}]"#
        let spans = try Plain.decode(json: text).batch.spans
        #expect(spans.count == 2 && spans[0].traceID == spans[1].traceID)
        #expect(spans[0].spanID == spans[1].parentSpanID && spans[0].spanID.isValid)
        #expect(spans[1].attributes == [Attribute("original.trace_id", "t")])
    }

    @Test(arguments: [
        (#""1970-01-01T00:00:01Z""#, UInt64(1_000_000_000)), ("1", 1_000_000_000), ("1.5", 1_500_000_000),
        ("1700000000", 1_700_000_000_000_000_000), ("1700000000.25", 1_700_000_000_250_000_000),
        ("1700000000001", 1_700_000_000_001_000_000), ("1700000000000001", 1_700_000_000_000_001_000),
        ("1700000000000000001", 1_700_000_000_000_000_001), (#""1700000000000000001""#, 1_700_000_000_000_000_001),
        (#""2554-07-21T23:34:33.709551615Z""#, .max), ("1e30", .max),
    ])
    func `a moment is RFC 3339 or a number whose size tells its unit`(text: String, nanos: UInt64) throws {
        let json = #"{"traceId":"1","spanId":"2","startTime":\#(text)}"#
        #expect(try Plain.decode(json: json).batch.spans.first?.startUnixNanos == nanos)
    }

    @Test(arguments: [
        (#""duration":2"#, UInt64(2_000_000)), (#""duration":0.001"#, 1000), (#""duration":"3""#, 3_000_000),
        (#""endTime":1.5"#, 1_500_000_000), (#""duration":1e300"#, UInt64(Int64.max)), ("", 0),
    ])
    func `a duration is in milliseconds`(members: String, nanos: UInt64) throws {
        #expect(try Self.span(members).durationNanos == nanos)
    }

    @Test func `an end before the start is marked`() throws {
        let json = #"{"traceId":"1","spanId":"2","startTime":1000,"duration":-5}"#
        let span = try #require(try Plain.decode(json: json).batch.spans.first)
        #expect(span.endsBeforeStart && span.durationNanos == 0)
    }

    @Test(arguments: [
        (#""tags":{"error":true}"#, Span.Status.Code.error), (#""tags":{"error":"true"}"#, .error),
        (#""tags":{"error":false}"#, .unset), (#""tags":{"error":"no"}"#, .unset), (#""error":true"#, .error),
        (#""tags":{"otel.status_code":"OK"}"#, .ok), (#""tags":{"http.status_code":503}"#, .error),
        (#""tags":[{"key":"error","value":true}]"#, .error), (#""tags":[{"value":true,"key":"error"}]"#, .error),
    ])
    func `tags tell the status`(members: String, code: Span.Status.Code) throws {
        #expect(try Self.span(members).status.code == code)
    }

    @Test func `spans that cannot be kept are left out`() throws {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        let bad = [
            #"{"spanId":"2","startTime":0}"#, #"{"traceId":"","spanId":"2","startTime":0}"#,
            #"{"traceId":"1","startTime":0}"#, #"{"traceId":"1","spanId":"2"}"#,
            #"{"traceId":"1","spanId":"2","startTime":"yesterday"}"#, #"{"traceId":"1","spanId":"2","startTime":-1}"#,
            #"{"traceId":"1","spanId":"2","startTime":"2026-11-22T10:00:00"}"#,
            #"{"traceId":"1","spanId":"2","startTime":0,"tags":{"a":\#(deep)}}"#,
        ]
        let decoded = try Plain.decode(json: "[\((bad + [Self.text]).joined(separator: ","))]")
        #expect(decoded.batch.spans == [Self.span])
        #expect(
            decoded.rejected == [.invalidTraceID: 2, .invalidSpanID: 1, .invalidTime: 4, .valueTooDeep: 1]
        )
    }

    @Test(arguments: [
        "", "7", "[7]", "{", #"{"traceId":[]}"#, #"{"operationName":7}"#, #"{"duration":"long"}"#, #"{"tags":7}"#,
        #"{"tags":[7]}"#, #"{"traceId":"1","spanId":"2","startTime":0,"logs":7}"#,
        #"{"traceId":"1","spanId":"2","startTime":0,"logs":[7]}"#, "{} {}",
    ])
    func `what is not of this shape is refused`(text: String) {
        #expect(throws: WireError.self) { try Plain.decode(json: text) }
    }
}

extension Plain {
    static func decode(json: String) throws(WireError) -> DecodedSpans {
        var decoder = JSONDecoder()
        let result: Result<DecodedSpans, WireError> = Array(json.utf8).withUnsafeBytes { bytes in
            do throws(WireError) {
                return .success(try decoder.decode(bytes, receivedUnixNanos: 5))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
