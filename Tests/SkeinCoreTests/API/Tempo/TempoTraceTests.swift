// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire
import Testing

@testable import SkeinAPI

/// One trace in the forms of Tempo.
struct TempoTraceTests {
    @Test func `v1 has batches, ids in base64 and words for enums`() async throws {
        var span = Shop.order[2]
        span.links = [.init(traceID: Shop.traceID, spanID: SpanID(9))]
        let api = try await APIUnderTest([span])
        #expect(
            try await api.tempo("/api/traces/\(Shop.traceID)") == """
                {"batches":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"payment"}}]},\
                "scopeSpans":[{"scope":{},"spans":[{"traceId":"CvdlGRbNQ92ESOshHIAxnA==","spanId":"AAAAAAAAAAM=",\
                "parentSpanId":"AAAAAAAAAAI=","name":"charge","kind":"SPAN_KIND_SERVER",\
                "startTimeUnixNano":"1795341000002000000","endTimeUnixNano":"1795341000005000000",\
                "attributes":[{"key":"user.id","value":{"stringValue":"abc123"}},\
                {"key":"http.status_code","value":{"intValue":"500"}}],\
                "events":[{"timeUnixNano":"1795341000003000000","name":"exception",\
                "attributes":[{"key":"exception.type","value":{"stringValue":"CardError"}}]}],\
                "links":[{"traceId":"CvdlGRbNQ92ESOshHIAxnA==","spanId":"AAAAAAAAAAk="}],\
                "status":{"message":"card declined","code":"STATUS_CODE_ERROR"}}]}]}]}
                """
        )
    }

    @Test func `v2 has a trace with resourceSpans`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let answer = try await api.tempoJSON("/api/v2/traces/\(Shop.traceID)")
        #expect(answer.keys == ["trace", "metrics"])
        #expect(answer["trace"].keys == ["resourceSpans"])
        #expect(answer["metrics"] == [:])
        #expect(answer["trace"]["resourceSpans"] == (try await api.tempoJSON("/api/traces/\(Shop.traceID)"))["batches"])
    }

    @Test func `who accepts protobuf gets the bytes of OTLP, in v2 within an answer`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let v1 = await api.askTempo("/api/traces/\(Shop.traceID)", accept: "application/protobuf")
        #expect(v1.header("Content-Type") == "application/protobuf")
        var decoder = OTLP.ProtobufDecoder()
        let decoded = try v1.bytes.withUnsafeBytes { try decoder.decode($0, receivedUnixNanos: 0) }
        #expect(decoded.batch.spans == Shop.order)
        let v2 = try await api.tempoMessage("/api/v2/traces/\(Shop.traceID)")
        #expect(v2.numbers == [1])
        #expect(v2.messages(1) == [try ProtobufMessage(v1.bytes)])
    }

    @Test func `an unknown trace is 404 without a body in both versions and forms`() async throws {
        let api = try await APIUnderTest(Shop.order)
        for path in ["/api/traces/abc", "/api/v2/traces/abc"] {
            for accept in [nil, "application/protobuf"] {
                let response = await api.askTempo(path, accept: accept)
                #expect(response.status == 404)
                #expect(response.byteCount == 0)
            }
        }
    }

    @Test func `short ids are padded on the left, and times are hints`() async throws {
        let api = try await APIUnderTest([Shop.span(1, trace: TraceID(high: 0, low: 0xab))])
        for form in ["ab", "AB", "00ab", "00000000000000ab", "000000000000000000000000000000ab"] {
            let answer = try await api.tempoJSON("/api/v2/traces/\(form)?start=1&end=2&mode=blocks&blockStart=0&x=y")
            #expect(answer["trace"]["resourceSpans"].array.count == 1)
        }
    }

    @Test(arguments: [
        ("xyz", "trace IDs can only contain hex characters: \"xyz\"; 1 to 32 hexadecimal digits are expected"),
        ("0", "trace IDs can't be all zero: \"0\"; 1 to 32 hexadecimal digits are expected"),
        (
            "123456789012345678901234567890123",
            "trace IDs can't be larger than 128 bits: \"123456789012345678901234567890123\"; "
                + "1 to 32 hexadecimal digits are expected"
        ),
        (
            "ab?start=99999999999",
            "invalid start: strconv.ParseUint: parsing \"99999999999\": value out of range; "
                + "seconds since 1970 are expected"
        ),
        (
            "ab?start=now",
            "invalid start: strconv.ParseUint: parsing \"now\": invalid syntax; seconds since 1970 are expected"
        ),
        ("ab?start=2&end=1", "http parameter start must be before end. received start=2 end=1"),
        ("ab?start=2", "http parameter start must be before end. received start=2 end=0"),
        ("ab?mode=some", "invalid value for mode \"some\""),
    ])
    func `what cannot be read is 400 in plain text`(target: String, message: String) async throws {
        let api = try await APIUnderTest()
        #expect(try await api.tempo("/api/traces/\(target)", status: 400) == message)
        #expect(try await api.tempo("/api/v2/traces/\(target)", status: 400) == message)
    }

    @Test func `a trace too large is 422 with the remedy`() async throws {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Shop.order, receivedUnixNanos: 1))
        let few = APIUnderTest(over: store, traceSpanCountMax: 2)
        let little = APIUnderTest(over: store, answers: ByteBudget(limit: 600))
        for path in ["/api/traces/\(Shop.traceID)", "/api/v2/traces/\(Shop.traceID)"] {
            #expect(
                try await few.tempo(path, status: 422)
                    == "Trace \(Shop.traceID) has 3 stored spans, at most 2 are answered at once: read it page by page at "
                    + "/api/skein/v1/traces/\(Shop.traceID)/spans, or raise trace-spans-max."
            )
            #expect(try await little.tempo(path, status: 422).contains("the limit for one: read it page by page at"))
            let response = await little.askTempo(path, accept: "application/protobuf")
            #expect(response.status == 422)
        }
    }

    @Test func `a trace of several windows is one answer in every form`() async throws {
        let spans = (1...10_500).map { Shop.span($0, parent: $0 / 2, at: $0) }
        let api = try await APIUnderTest(spans)
        let json = try await api.tempo("/api/traces/\(Shop.traceID)")
        #expect(json.split(separator: "\"spanId\"").count == 10_501)
        #expect(json.split(separator: "\"service.name\"").count == 3)
        let message = try await api.tempoMessage("/api/v2/traces/\(Shop.traceID)")
        let count = message.messages(1).flatMap { $0.messages(1) }.flatMap { $0.messages(2) }
            .map { $0.messages(2).count }.reduce(0, +)
        #expect(count == 10_500)
    }
}
