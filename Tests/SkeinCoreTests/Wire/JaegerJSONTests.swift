// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire
import Testing

@Suite struct JaegerJSONTests {
    static let trace = #"""
        {"traceID":"2","spans":[{"traceID":"2","spanID":"3","flags":3,"operationName":"GET /",
        "references":[{"refType":"CHILD_OF","traceID":"2","spanID":"4"},
        {"refType":"FOLLOWS_FROM","traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"7"},
        {"refType":"FOLLOWS_FROM","traceID":"none","spanID":"7"}],
        "startTime":1700000000000000,"duration":2500,
        "tags":[{"key":"i","type":"int64","value":-5},{"key":"big","type":"int64","value":"9007199254740993"},
        {"key":"d","type":"float64","value":2},{"key":"b","type":"bool","value":false},
        {"key":"x","type":"binary","value":"AP8="},{"key":"s","type":"string","value":"a\nb"},
        {"key":"error","type":"bool","value":true},{"key":"otel.status_description","type":"string","value":"boom"},
        {"key":"span.kind","type":"string","value":"server"},
        {"key":"otel.scope.name","type":"string","value":"lib"},{"key":"otel.scope.version","type":"string","value":"2"},
        {"key":"w3c.tracestate","type":"string","value":"a=b"}],
        "logs":[{"timestamp":1700000000000100,"fields":[{"key":"event","type":"string","value":"exception"},
        {"key":"n","type":"int64","value":1}]}],"processID":"p1","warnings":["odd"]}],
        "processes":{"p1":{"serviceName":"shop","tags":[{"key":"hostname","type":"string","value":"box"}]}},
        "warnings":null}
        """#

    static var span: SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 0, low: 2),
            spanID: SpanID(3),
            parentSpanID: SpanID(4),
            name: "GET /",
            kind: .server,
            startUnixNanos: 1_700_000_000_000_000_000,
            durationNanos: 2_500_000
        )
        span.flags = 1
        span.traceState = "a=b"
        span.status = .init(.error, message: "boom")
        span.attributes = [
            Attribute("i", -5), Attribute("big", 9_007_199_254_740_993), Attribute("d", 2.0), Attribute("b", false),
            Attribute("x", .bytes([0, 255])), Attribute("s", "a\nb"),
        ]
        span.events = [
            .init(timeUnixNanos: 1_700_000_000_000_100_000, name: "exception", attributes: [Attribute("n", 1)])
        ]
        span.links = [
            .init(
                traceID: TraceID(high: 0x0af7_6519_16cd_43dd, low: 0x8448_eb21_1c80_319c),
                spanID: SpanID(7),
                attributes: [Attribute("opentracing.ref_type", "follows_from")]
            )
        ]
        span.droppedLinksCount = 1
        span.resource.attributes = [Attribute("service.name", "shop"), Attribute("host.name", "box")]
        span.scope.name = "lib"
        span.scope.version = "2"
        return span
    }

    @Test(arguments: ["\(trace)", "[\(trace)]", #"{"data":[\#(trace)],"total":0,"errors":null}"#])
    func `a trace is told in OpenTelemetry's terms`(text: String) throws {
        let decoded = try Jaeger.decode(json: text)
        #expect(decoded.batch.spans == [Self.span])
        #expect(decoded.batch.serviceName(at: 0) == "shop" && decoded.rejected.isEmpty)
    }

    @Test func `a lone span carries its process`() throws {
        let text = #"{"process":{"serviceName":"a"},"traceID":"1","spanID":"2","startTime":1}"#
        let batch = try Jaeger.decode(json: text).batch
        #expect(batch.count == 1 && batch.serviceName(at: 0) == "a")
    }

    @Test func `a process that is not there is one without a name`() throws {
        let text = #"{"spans":[{"traceID":"1","spanID":"2","processID":"p9"}]}"#
        #expect(try Jaeger.decode(json: text).batch.serviceName(at: 0) == "")
    }

    @Test(arguments: [
        (#"{"traceID":"1","spanID":"2","parentSpanID":"5"}"#, SpanID(5)),
        (#"{"traceID":"1","spanID":"2","parentSpanID":""}"#, .zero),
        (#"{"traceID":"1","spanID":"2","references":null,"parentSpanID":null}"#, .zero),
    ])
    func `the parent may be a member`(span: String, parent: SpanID) throws {
        #expect(try #require(try Jaeger.decode(json: span).batch.spans.first).parentSpanID == parent)
    }

    @Test(arguments: [
        (#"{"key":"a","value":1.5}"#, AttributeValue.double(1.5)),
        (#"{"key":"a","value":"t"}"#, "t"),
        (#"{"value":true,"key":"a"}"#, true),
        (#"{"key":"a","type":"bool","value":"true"}"#, true),
        (#"{"key":"a","type":"float64","value":"Infinity"}"#, .double(.infinity)),
        (#"{"key":"a","type":"int64","value":"many"}"#, "many"),
        (#"{"key":"a","type":"binary","value":"!"}"#, "!"),
        (#"{"key":"a","type":"string","value":[1, 2]}"#, "[1, 2]"),
        (#"{"key":"a","type":"string","value":null}"#, ""),
        (#"{"key":"a","type":"thing","value":7}"#, 7),
    ])
    func `a value that is not of its type is read as far as it can be`(tag: String, value: AttributeValue) throws {
        let text = #"{"traceID":"1","spanID":"2","tags":[\#(tag)]}"#
        let span = try #require(try Jaeger.decode(json: text).batch.spans.first)
        #expect(span.attributes == [Attribute("a", value)])
    }

    @Test func `spans with bad ids are left out`() throws {
        let good = #"{"traceID":"1","spanID":"2"}"#
        let bad = [
            #"{"spanID":"2"}"#, #"{"traceID":"0","spanID":"2"}"#, #"{"traceID":"x","spanID":"2"}"#,
            #"{"traceID":"1","spanID":"11112222333344445"}"#, #"{"traceID":"1","spanID":"2","parentSpanID":"x"}"#,
        ]
        let decoded = try Jaeger.decode(json: "{\"spans\":[\((bad + [good]).joined(separator: ","))]}")
        #expect(decoded.accepted == 1)
        #expect(decoded.rejected == [.invalidTraceID: 3, .invalidSpanID: 1, .invalidParentSpanID: 1])
        #expect(decoded.firstMessage == "trace ids must be 1 to 32 hexadecimal digits and not all zero")
    }

    @Test(arguments: [
        "", "{", "[", "7", "null", #"{"data":{}}"#, #"{"spans":{}}"#, #"{"spans":[1]}"#, #"{"processes":[]}"#,
        #"{"spans":[{"traceID":1}]}"#, #"{"spans":[{"startTime":"soon"}]}"#, #"{"spans":[{"tags":{}}]}"#,
        #"{"spans":[{"tags":[7]}]}"#, #"{"spans":[{"logs":[{"fields":7}]}]}"#,
        #"{"spans":[{"references":[{"spanID":1}]}]}"#,
        #"{"spans":[]} x"#,
    ])
    func `what is not of this shape is refused`(text: String) {
        #expect(throws: WireError.self) { try Jaeger.decode(json: text) }
    }

    @Test func `an error tells its place in the whole text`() {
        let text = "{\n\"spans\":[\n{\"traceID\":7}],\"processes\":{}}"
        let error = #expect(throws: WireError.self) { try Jaeger.decode(json: text) }
        #expect(error?.place?.line == 3 && error?.place?.column == 12, "\(error?.description ?? "")")
    }
}

extension Jaeger {
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
