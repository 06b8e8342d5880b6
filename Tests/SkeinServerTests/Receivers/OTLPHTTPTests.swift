// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1
import SkeinBase
import SkeinCompression
import SkeinModel
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import SkeinTestKit
import SkeinWire
import Testing

/// What OTLP/HTTP answers (OTLP 1.9 §OTLP/HTTP): status, headers and body, case by case.
struct OTLPHTTPTests {
    @Test func `spans that are acknowledged are stored`() async throws {
        let fixture = Fixture()
        try await fixture.withHTTP { port in
            let answer = try await Answer.of(port, body: Request.protobuf([Request.span(1), Request.span(2)]))
            #expect(answer.status == 200)
            #expect(answer.header("content-type") == "application/x-protobuf")
            #expect(answer.body.isEmpty)
            #expect(answer.header("date")?.hasSuffix(" GMT") == true)
        }
        #expect(try await fixture.names(Request.traceID) == ["work", "work"])
        #expect(fixture.counters.acceptedSpans.value == 2)
        #expect(fixture.counters.receivedSpans.value == 2)
        #expect(fixture.counters.requests.value == 1)
    }

    @Test func `JSON is answered in JSON`() async throws {
        let fixture = Fixture()
        let body =
            #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000010000000000000002","#
            + #""spanId":"0000000000000001","name":"a","startTimeUnixNano":"1","endTimeUnixNano":2}]}]}]}"#
        try await fixture.withHTTP { port in
            let type = [("Content-Type", "Application/JSON; charset=utf-8")]
            let answer = try await Answer.of(port, "/v1/traces", type, body: Array(body.utf8))
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.header("content-type") == "application/json")
            #expect(answer.text == "{}")
        }
        #expect(try await fixture.names(Request.traceID) == ["a"])
    }

    @Test func `an empty body is an empty request`() async throws {
        try await Fixture().withHTTP { port in
            let answer = try await Answer.of(port)
            #expect(answer.status == 200)
            #expect(answer.body.isEmpty)
        }
    }

    @Test(arguments: ContentCoding.allCases)
    func `a body in any coding is unpacked`(_ coding: ContentCoding) async throws {
        let fixture = Fixture()
        let plain = Request.protobuf([Request.span(1, name: coding.rawValue)])
        let packed = plain.withUnsafeBytes { coding.encode($0) }
        try await fixture.withHTTP { port in
            let headers = [("content-type", "application/x-protobuf"), ("content-encoding", coding.rawValue)]
            try await #expect(Answer.of(port, "/v1/traces", headers, body: packed).status == 200)
        }
        #expect(try await fixture.names(Request.traceID) == [coding.rawValue])
        #expect(fixture.counters.bytes.value == packed.count)
    }

    @Test func `only bad spans are left out and said so`() async throws {
        let fixture = Fixture()
        let spans = [Request.span(1), Request.span(0, name: "no id"), Request.span(3, trace: .zero)]
        try await fixture.withHTTP { port in
            let answer = try await Answer.of(port, body: Request.protobuf(spans))
            #expect(answer.status == 200)
            // partial_success { rejected_spans: 2, error_message: … }
            #expect(answer.body.starts(with: [0x0a]) && answer.body.dropFirst(2).starts(with: [0x08, 2, 0x12]))
        }
        #expect(try await fixture.names(Request.traceID) == ["work"])
        #expect(fixture.counters.rejected(.spanID) == 1)
        #expect(fixture.counters.rejected(.traceID) == 1)
        #expect(fixture.counters.receivedSpans.value == 3)
        #expect(fixture.counters.acceptedSpans.value == 1)
    }

    @Test func `bad data is answered 400 with a status in the request's encoding`() async throws {
        let fixture = Fixture()
        try await fixture.withHTTP { port in
            let binary = try await Answer.of(port, body: [0xff, 0xff])
            #expect(binary.status == 400)
            #expect(binary.header("content-type") == "application/x-protobuf")
            #expect(binary.body.starts(with: [0x08, 3, 0x12]))
            #expect(binary.header("retry-after") == nil)
            let json = try await Answer.of(
                port,
                "/v1/traces",
                [("content-type", "application/json")],
                body: Array("{".utf8)
            )
            #expect(json.status == 400)
            #expect(json.header("content-type") == "application/json")
            #expect(json.text.hasPrefix(#"{"code":3,"message":"#))
        }
        #expect(fixture.counters.refused(.malformed) == 2)
        #expect(fixture.store.appendCount == 0)
    }

    @Test(arguments: [HTTPMethod.GET, .PUT, .DELETE, .OPTIONS, .HEAD])
    func `other methods are answered 405`(_ method: HTTPMethod) async throws {
        try await Fixture().withHTTP { port in
            let answer = try await Answer.of(port, method: method)
            #expect(answer.status == 405)
            #expect(answer.header("allow") == "POST")
            if method != .HEAD { #expect(answer.text == "405 method not allowed, supported: [POST]") }
        }
    }

    @Test(arguments: ["text/plain", "", "application/x-protobuf-2", "application/json2", "multipart/form-data"])
    func `other content types are answered 415`(_ type: String) async throws {
        try await Fixture().withHTTP { port in
            let answer = try await Answer.of(port, "/v1/traces", [("content-type", type)], body: [1])
            #expect(answer.status == 415)
            #expect(
                answer.text == "415 unsupported media type, supported: [application/json, application/x-protobuf]"
            )
            #expect(answer.header("content-type")?.hasPrefix("text/plain") == true)
        }
    }

    @Test(arguments: ["br", "gzip, br", "gzip, gzip", "snappy"])
    func `other codings are answered 415 and named`(_ coding: String) async throws {
        try await Fixture().withHTTP { port in
            let headers = [("content-type", "application/x-protobuf"), ("content-encoding", coding)]
            let answer = try await Answer.of(port, "/v1/traces", headers, body: [1])
            #expect(answer.status == 415)
            #expect(answer.text.contains("\"\(coding)\""))
            #expect(answer.header("accept-encoding") == "identity, gzip, deflate, zstd")
        }
    }

    @Test func `the path that the Langfuse SDK posts to is that of traces`() async throws {
        let fixture = Fixture()
        let path = "/api/public/otel/v1/traces"
        try await fixture.withHTTP { port in
            let headers = [
                ("content-type", "application/x-protobuf"), ("authorization", "Basic cGstbGYtMTpzay1sZi0y"),
            ]
            let answer = try await Answer.of(port, path, headers, body: Request.protobuf([Request.span(1)]))
            #expect(answer.status == 200, "\(answer.text)")
            try await #expect(Answer.of(port, path, [("content-type", "text/plain")], body: [1]).status == 415)
        }
        #expect(try await fixture.names(Request.traceID) == ["work"])
        #expect(fixture.counters.acceptedSpans.value == 1)
    }

    @Test(arguments: ["/", "/api/public/otel", "/v1development/profiles", "/v1/traces/", "/v2/traces", "//v1/traces"])
    func `other paths are answered 404`(_ path: String) async throws {
        let fixture = Fixture()
        try await fixture.withHTTP { port in
            let answer = try await Answer.of(port, path, body: [1])
            #expect(answer.status == 404)
            #expect(answer.text.contains("/v1/traces"))
        }
        #expect(fixture.counters.refused(.unsupported) == 1)
    }

    @Test func `a target in absolute form is the same target`() async throws {
        try await Fixture().withHTTP { port in
            try await RawConnection.with(port) { talk in
                try await talk.say(
                    "POST http://collector.example:4318/v1/traces HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
                        + "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
                )
                #expect(await talk.hearAll().hasPrefix("HTTP/1.1 200 "))
            }
        }
    }

    @Test func `a query behind the path does no harm`() async throws {
        try await Fixture().withHTTP { port in
            try await #expect(Answer.of(port, "/v1/traces?x=y").status == 200)
        }
    }

    @Test func `a body above the limit is answered 413, announced or not`() async throws {
        let fixture = Fixture(bytesMax: 1000)
        var limits = HTTPLimits()
        limits.bodyBytesMax = 1000
        try await fixture.withHTTP(limits) { port in
            let answer = try await Answer.of(port, body: [UInt8](repeating: 0, count: 1001))
            #expect(answer.status == 413)
            #expect(answer.body.starts(with: [0x08, 8, 0x12]))
            #expect(answer.header("retry-after") == nil)
            try await RawConnection.with(port) { talk in
                try await talk.say(
                    "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
                        + "transfer-encoding: chunked\r\n\r\n"
                )
                // At once: behind the limit the server may close at any time.
                try await talk.say(String(repeating: "200\r\n\(String(repeating: "x", count: 512))\r\n", count: 3))
                #expect(try await talk.hear("413 Payload Too Large"))
                #expect(try await talk.hear(#"{"code":8,"#))
            }
        }
        #expect(fixture.counters.refused(.tooLarge) == 2)
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .zstd])
    func `a bomb is answered 413`(_ coding: ContentCoding) async throws {
        let fixture = Fixture(bytesMax: 1 << 20)
        let bomb = [UInt8](repeating: 0, count: 32 << 20).withUnsafeBytes { coding.encode($0) }
        try await fixture.withHTTP { port in
            let headers = [("content-type", "application/x-protobuf"), ("content-encoding", coding.rawValue)]
            let answer = try await Answer.of(port, "/v1/traces", headers, body: bomb)
            #expect(answer.status == 413)
            #expect(answer.text.contains("1048576 bytes"))
            try await #expect(Answer.of(port, "/v1/traces", headers, body: Array(bomb.dropLast(3))).status >= 400)
            try await #expect(Answer.of(port, "/v1/traces", headers, body: Array("nothing".utf8)).status == 400)
        }
        #expect(fixture.pipeline.budget.used == 0)
    }

    @Test(arguments: [(StoreError.Code.unavailable, "5"), (.full, "30"), (.io, "5")])
    func `a store that cannot keep spans is answered 503 with a delay`(
        _ code: StoreError.Code,
        _ delay: String
    ) async throws {
        let fixture = Fixture(TestStore(.fail(code)))
        try await fixture.withHTTP { port in
            let answer = try await Answer.of(port, body: Request.protobuf([Request.span(1)]))
            #expect(answer.status == 503)
            #expect(answer.header("retry-after") == delay)
            #expect(answer.body.starts(with: [0x08, 14, 0x12]))
        }
        #expect(fixture.counters.acceptedSpans.value == 0)
        #expect(fixture.counters.refused(code == .full ? .storeFull : .storeUnavailable) == 1)
    }

    @Test func `above the memory budget requests are answered 429 with a delay`() async throws {
        let spans = (1...400).map { Request.span($0, name: String(repeating: "n", count: 100) + "\($0)") }
        let body = Request.protobuf(spans)
        // Batch and record are held while the store works; for another body there is not enough left.
        let held = 2 * SpanBatch(spans: spans).byteCount
        let fixture = Fixture(TestStore(.hold), budget: held + body.count)
        try await fixture.withHTTP { port in
            async let first = Answer.of(port, body: body)
            try await eventually("the first request reaches the store") { fixture.store.waitingCount == 1 }
            #expect(fixture.pipeline.budget.used == held)
            let second = try await Answer.of(port, body: body)
            #expect(second.status == 429)
            #expect(second.header("retry-after") == "1")
            fixture.store.release()
            try await #expect(first.status == 200)
            try await #expect(Answer.of(port, body: body).status == 200)
        }
        #expect(fixture.counters.refused(.busy) == 1)
        #expect(fixture.pipeline.budget.used == 0)
    }

    @Test func `what a request has become is counted against the memory budget`() async throws {
        let fixture = Fixture(TestStore(.hold))
        let spans = (1...400).map { Request.span($0) }
        let body = Request.protobuf(spans)
        let packed = body.withUnsafeBytes { ContentCoding.gzip.encode($0) }
        try await fixture.withHTTP { port in
            let headers = [("content-type", "application/x-protobuf"), ("content-encoding", "gzip")]
            async let answer = Answer.of(port, "/v1/traces", headers, body: packed)
            try await eventually("the request reaches the store") { fixture.store.waitingCount == 1 }
            #expect(fixture.pipeline.budget.used >= 2 * 400 * 60)
            fixture.store.release()
            try await #expect(answer.status == 200)
        }
        #expect(fixture.pipeline.budget.used == 0)
    }

    @Test func `a body that becomes too much is answered 413`() async throws {
        let fixture = Fixture(bytesMax: 1 << 20)
        let spans = (UInt64(1)...60).map { number in
            var span = Request.span(number)
            span.events = [SkeinModel.Span.Event](repeating: .init(timeUnixNanos: 0, name: ""), count: 9_000)
            return span
        }
        try await fixture.withHTTP { port in
            let answer = try await Answer.of(port, body: Request.protobuf(spans))
            #expect(answer.status == 413)
            #expect(answer.text.contains("send smaller batches"))
        }
        #expect(fixture.counters.refused(.tooLarge) == 1)
        #expect(fixture.pipeline.budget.used == 0)
    }

    @Test func `events that are too many are dropped, counted and told`() async throws {
        let fixture = Fixture()
        var span = Request.span(1)
        span.events = [SkeinModel.Span.Event](repeating: .init(timeUnixNanos: 0, name: ""), count: 10_007)
        try await fixture.withHTTP { port in
            let answer = try await Answer.of(port, body: Request.protobuf([span]))
            #expect(answer.status == 200)
            #expect(answer.text.contains("7 events"))
        }
        #expect(fixture.counters.dropped(.events) == 7)
        #expect(fixture.counters.acceptedSpans.value == 1)
        let stored = try await fixture.store.trace(Request.traceID)?.spans.first
        #expect(stored?.events.count == 10_000 && stored?.droppedEventsCount == 7)
    }
}
