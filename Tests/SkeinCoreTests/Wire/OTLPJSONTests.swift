// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

@Suite struct OTLPJSONTests {
    static func encode(_ batch: SpanBatch) -> String {
        var json = JSONWriter()
        OTLP.JSONEncoder(batch).write(to: &json)
        return json.text
    }

    static let fullJSON = #"""
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}],
        "droppedAttributesCount":6},"scopeSpans":[{"scope":{"name":"lib","version":"1",
        "attributes":[{"key":"q","value":{"intValue":"1"}}],"droppedAttributesCount":7},"spans":[{
        "traceId":"00000000000000010000000000000002","spanId":"0000000000000003","traceState":"a=b",
        "parentSpanId":"0000000000000004","name":"GET /","kind":2,"startTimeUnixNano":"1000",
        "endTimeUnixNano":"1500","attributes":[{"key":"s","value":{"stringValue":"text"}},
        {"key":"b","value":{"boolValue":true}},{"key":"i","value":{"intValue":"-7"}},
        {"key":"d","value":{"doubleValue":1.5}},{"key":"bytes","value":{"bytesValue":"AP8="}},
        {"key":"none","value":{}},{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"},
        {"intValue":"1"},{"arrayValue":{"values":[{"boolValue":false}]}}]}}},
        {"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"9"}}]}}}],
        "droppedAttributesCount":1,"events":[{"timeUnixNano":"1100","name":"e",
        "attributes":[{"key":"x","value":{"intValue":"1"}}],"droppedAttributesCount":2}],"droppedEventsCount":3,
        "links":[{"traceId":"00000000000000050000000000000006","spanId":"0000000000000007","traceState":"c=d",
        "attributes":[{"key":"y","value":{"stringValue":"z"}}],"droppedAttributesCount":4,"flags":1}],
        "droppedLinksCount":5,"status":{"message":"boom","code":2},"flags":769}],"schemaUrl":"https://s"}],
        "schemaUrl":"https://r"}]}
        """#.split(separator: "\n").joined()

    @Test func `every field is written as the specification says`() {
        #expect(Self.encode(SpanBatch(spans: [OTLPProtobufTests.full])) == Self.fullJSON)
    }

    @Test func `what has its default is left out`() {
        let text = Self.encode(SpanBatch(spans: [SpanBatchTests.bare]))
        let span = #"""
            {"traceId":"00000000000000000000000000000009","spanId":"0000000000000001","startTimeUnixNano":"0","endTimeUnixNano":"0"}
            """#
        #expect(text == #"{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":["# + span + "]}]}]}")
    }

    @Test func `every field is read back`() throws {
        let decoded = try OTLP.decode(json: Self.fullJSON)
        #expect(decoded.batch.spans == [OTLPProtobufTests.full])
        #expect(decoded.batch.serviceName(at: 0) == "shop" && decoded.batch.receivedUnixNanos == 5)
        #expect(decoded.rejected.isEmpty && decoded.warning.isEmpty)
    }

    @Test func `a threshold of sampling says how many spans one stands for`() throws {
        #expect(try Self.span(#""traceState":"a=b,ot=rv:0;th:8""#).weight == 2)
    }

    /// A request with one span of good ids and these members.
    static func request(_ members: String, resource: String = "{}") -> String {
        let ids = #""traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"0102030405060708""#
        let span = "{\(ids)\(members.isEmpty ? "" : ",")\(members)}"
        return #"{"resourceSpans":[{"resource":\#(resource),"scopeSpans":[{"spans":[\#(span)]}]}]}"#
    }

    static func span(_ members: String) throws -> SkeinModel.Span {
        try #require(try OTLP.decode(json: request(members)).batch.spans.first)
    }

    @Test func `ids are hexadecimal of either case`() throws {
        let span = try Self.span(#""parentSpanId":"00000000000000fF""#)
        #expect(span.traceID == TraceID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10))
        #expect(span.parentSpanID == SpanID(0xff))
        #expect(try Self.span(#""parentSpanId":"""#).parentSpanID == .zero)
        #expect(try Self.span(#""parentSpanId":null"#).parentSpanID == .zero)
        #expect(try Self.span(#""parentSpanId":"0000000000000000""#).parentSpanID == .zero)
    }

    static let numbers: [(String, UInt64)] = [
        ("1700000000000000001", 1_700_000_000_000_000_001), (#""1700000000000000001""#, 1_700_000_000_000_000_001),
        ("18446744073709551615", .max), (#""18446744073709551615""#, .max), ("1e3", 1000), ("2.0", 2), ("0", 0),
    ]

    @Test(arguments: numbers)
    func `64-bit integers are exact as strings and as numbers`(text: String, expected: UInt64) throws {
        #expect(try Self.span("\"startTimeUnixNano\":\(text)").startUnixNanos == expected)
    }

    static let values: [(String, AttributeValue)] = [
        (#"{"stringValue":"a\n\u00e9\ud83d\ude00\ud83dx\/"}"#, "a\né😀\u{fffd}x/"), (#"{"boolValue":false}"#, false),
        (#"{"intValue":-9223372036854775808}"#, .int(.min)), (#"{"intValue":"9223372036854775807"}"#, .int(.max)),
        (#"{"doubleValue":1}"#, .double(1)), (#"{"doubleValue":-1.5e-3}"#, .double(-0.0015)),
        (#"{"doubleValue":"Infinity"}"#, .double(.infinity)), (#"{"doubleValue":"-Infinity"}"#, .double(-.infinity)),
        (#"{"doubleValue":"2.5"}"#, .double(2.5)), (#"{"bytesValue":"-_8="}"#, .bytes([0xfb, 0xff])),
        (#"{"bytesValue":"+/8"}"#, .bytes([0xfb, 0xff])), (#"{"bytesValue":""}"#, .bytes([])), ("{}", .null),
        (#"{"stringValue":null}"#, .null), (#"{"arrayValue":{}}"#, .array([])), (#"{"kvlistValue":{}}"#, .map([])),
        (#"{"arrayValue":{"values":[{},{"intValue":1}]}}"#, .array([.null, 1])),
        (
            #"{"kvlistValue":{"values":[{"value":{"intValue":1},"key":"k"},{}]}}"#,
            .map([Attribute("k", 1), Attribute("", .null)])
        ),
        (#"{"intValue":1,"stringValue":"last"}"#, "last"), (#"{"later":[1,{"a":null}],"boolValue":true}"#, true),
    ]

    @Test(arguments: values)
    func `values are read in every form that clients write`(text: String, expected: AttributeValue) throws {
        let span = try Self.span(#""attributes":[{"value":\#(text),"key":"k"}]"#)
        #expect(span.attributes == [Attribute("k", expected)])
    }

    @Test func `NaN is read from its string`() throws {
        let span = try Self.span(#""attributes":[{"key":"k","value":{"doubleValue":"NaN"}}]"#)
        guard case .double(let value) = span.attributes[0].value else {
            throw WireError(.malformed, "no double", at: 0)
        }
        #expect(value.isNaN)
    }

    static let enums: [(String, SkeinModel.Span.Kind)] = [
        ("2", .server), (#""2""#, .server), (#""SPAN_KIND_CLIENT""#, .client), ("99", .unspecified),
        ("-1", .unspecified),
        (#""SPAN_KIND_WHAT""#, .unspecified), ("null", .unspecified),
    ]

    @Test(arguments: enums)
    func `enums are numbers, and names are understood`(text: String, kind: SkeinModel.Span.Kind) throws {
        #expect(try Self.span("\"kind\":\(text)").kind == kind)
    }

    @Test func `members come in any order, unknown ones are ignored, null is absent, the last of two counts`() throws {
        let span =
            #"{"name":"a","x":{"y":[1,2,{"z":"}"}]},"name":"b","status":{"code":"STATUS_CODE_ERROR"},"events":null,"#
            + #""spanId":"0102030405060708","traceId":"0102030405060708090a0b0c0d0e0f10"}"#
        let text =
            #" { "resourceSpans" : [ {"schemaUrl":"r","scopeSpans":[{"schemaUrl":"s","spans":[\#(span)],"#
            + #""scope":{"name":"lib"}}],"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"late"}}"#
            + "]}}]}\n"
        let decoded = try #require(try OTLP.decode(json: text).batch.spans.first)
        #expect(decoded.name == "b" && decoded.status.code == .error)
        #expect(decoded.resource.serviceName == "late" && decoded.resource.schemaURL == "r")
        #expect(decoded.scope == InstrumentationScope(name: "lib", schemaURL: "s"))
    }

    @Test func `snake_case keys are ignored with a warning`() throws {
        let decoded = try OTLP.decode(json: Self.request(#""start_time_unix_nano":"5","parent_span_id":"x""#))
        #expect(decoded.accepted == 1 && decoded.batch.spans[0].startUnixNanos == 0)
        #expect(decoded.warning.contains("2 keys in snake_case were ignored, the first is \"start_time_unix_nano\""))
    }

    static let badSpans: [(String, RejectionReason, String)] = [
        (
            #""traceId":"AQIDBAUGBwgJCgsMDQ4PEA==""#, .invalidTraceID,
            "32 hexadecimal digits and not all zero, received 24"
        ),
        (#""traceId":"""#, .invalidTraceID, "received 0 characters"),
        (#""traceId":"0102030405060708090a0b0c0d0e0fxx""#, .invalidTraceID, "received other characters"),
        (#""spanId":"0000000000000000""#, .invalidSpanID, "not all zero"),
        (#""parentSpanId":"abc""#, .invalidParentSpanID, "received 3 characters"),
        (#""parentSpanId":"xxxxxxxxxxxxxxxx""#, .invalidParentSpanID, "received other characters"),
        ("\"attributes\":[{\"key\":\"k\",\"value\":\(deep(34))}]", .valueTooDeep, "deeper than 32"),
    ]

    /// `depth` arrays around nothing.
    static func deep(_ depth: Int) -> String {
        let open = #"{"arrayValue":{"values":["#
        return String(repeating: open, count: depth - 1) + #"{"arrayValue":{}}"#
            + String(repeating: "]}}", count: depth - 1)
    }

    @Test(arguments: badSpans)
    func `a bad span is left out and its neighbours are kept`(
        members: String,
        reason: RejectionReason,
        message: String
    ) throws {
        let bad = Self.request(members).dropFirst(#"{"resourceSpans":["#.utf8.count).dropLast(2)
        let good = Self.request(#""name":"good""#).dropFirst(#"{"resourceSpans":["#.utf8.count).dropLast(2)
        let decoded = try OTLP.decode(json: #"{"resourceSpans":[\#(good),\#(bad),\#(good)]}"#)
        #expect(decoded.batch.spans.map(\.name) == ["good", "good"] && decoded.rejected == [reason: 1])
        #expect(decoded.firstMessage.contains(message), "\(decoded.firstMessage)")
    }

    @Test func `a resource that nests too deep takes only its own spans with it`() throws {
        let resource = #"{"attributes":[{"key":"k","value":\#(Self.deep(40))}]}"#
        let bad = Self.request("", resource: resource).dropLast(2)
        let good = Self.request("").dropFirst(#"{"resourceSpans":["#.utf8.count)
        let decoded = try OTLP.decode(json: "\(bad),\(good)")
        #expect(decoded.accepted == 1 && decoded.rejected == [.valueTooDeep: 1])
    }

    static let malformed: [(String, String, Int, Int)] = [
        ("", "the text ends", 1, 1), ("[]", "found an array where an object is expected", 1, 1),
        ("{\n \"resourceSpans\": 5}", "found a number where an array is expected", 2, 19),
        (#"{"resourceSpans":[{}"#, "the text ends", 1, 21),
        (#"{"resourceSpans":[{},]}"#, "a value after the comma", 1, 22),
        (#"{"a":1 "b":2}"#, "found a string where a comma or } is expected", 1, 8), (#"{"a":01}"#, "a number", 1, 6),
        (#"{"a":nul}"#, "a value", 1, 6), ("{} x", "found 'x' where the end is expected", 1, 4),
        (#"{"a":"\x"}"#, "an escape", 1, 7), (#"{"a":"\u12"}"#, "four hexadecimal digits", 1, 7),
        (#"{"a":tru}"#, "a value", 1, 6),
        ("{\"a\":\"\u{1}\"}", "no control character", 1, 7), (#"{"a":-}"#, "a number", 1, 6),
        (#"{"a":1.}"#, "a number", 1, 6),
        (#"{a:1}"#, "a key in quotes", 1, 2), (#"{"a" 1}"#, "a colon", 1, 6), (#"{"a":+1}"#, "a value", 1, 6),
    ]

    @Test(arguments: malformed)
    func `malformed text is refused with its place, what was found and what was expected`(
        text: String,
        message: String,
        line: Int,
        column: Int
    ) {
        let error = #expect(throws: WireError.self) { try OTLP.decode(json: text) }
        #expect(error?.message.contains(message) == true, "\(error?.description ?? "")")
        #expect(error?.place?.line == line && error?.place?.column == column, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        #""startTimeUnixNano":-1"#, #""startTimeUnixNano":18446744073709551616"#, #""startTimeUnixNano":1.5"#,
        #""startTimeUnixNano":"""#, #""startTimeUnixNano":"0x10""#, #""name":5"#, #""kind":true"#,
        #""flags":4294967296"#,
        #""attributes":{}"#, #""attributes":[5]"#, #""attributes":[{"key":"k","value":{"doubleValue":"nan"}}]"#,
        #""attributes":[{"key":"k","value":{"doubleValue":"0x1p3"}}]"#,
        #""attributes":[{"key":"k","value":{"bytesValue":"A"}}]"#,
        #""attributes":[{"key":"k","value":{"bytesValue":"A?=="}}]"#,
        #""attributes":[{"key":"k","value":{"intValue":9223372036854775808}}]"#,
        #""attributes":[{"key":"k","value":"text"}]"#,
    ])
    func `a member of the wrong type or out of range is refused`(members: String) {
        let error = #expect(throws: WireError.self) { try OTLP.decode(json: Self.request(members)) }
        #expect(error?.code == .malformed && error?.place != nil)
    }

    @Test func `endless nesting is refused`() {
        let text = #"{"a":"# + String(repeating: "[", count: 100_000)
        #expect(throws: WireError.self) { try OTLP.decode(json: text) }
        let value = Self.request("\"attributes\":[{\"key\":\"k\",\"value\":\(Self.deep(5000))}]")
        let error = #expect(throws: WireError.self) { try OTLP.decode(json: value) }
        #expect(error?.code == .tooDeep)
    }

    @Test func `a request cut anywhere is refused whole`() {
        let bytes = Array(Self.fullJSON.utf8)
        for length in 0..<bytes.count {
            #expect(throws: WireError.self) { try OTLP.decode(json: Array(bytes[..<length])) }
        }
    }

    @Test func `random damage never traps`() {
        var random = SeededRandom(seed: 4)
        let good = Array(Self.fullJSON.utf8)
        let signs = Array(#"{}[]",:\u019eE.-+ntfa"#.utf8) + [0, 0xff, 0xc3]
        var decoder = OTLP.JSONDecoder()
        var survivors = 0
        for _ in 0..<5_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = signs.randomElement(using: &random) ?? 0
                case 1: bytes.remove(at: at)
                default: bytes.insert(signs.randomElement(using: &random) ?? 0, at: at)
                }
            }
            if let decoded = try? OTLP.decode(json: bytes, &decoder) {
                survivors += 1
                let again = try? OTLP.decode(json: Self.encode(decoded.batch))
                #expect(again?.batch.spans.description == decoded.batch.spans.description)
            }
        }
        #expect(survivors > 100)
    }
}
