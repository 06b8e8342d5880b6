// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// What is refused, and how (`agents-api.md` §1).
@Suite struct WorkErrorTests {
    struct Refused: Sendable {
        var method = "POST"
        var path: String
        var body = "{}"
        var type = "application/json"
        var status: Int
        var code: String
        var field: String?
    }

    @Test(arguments: [
        Refused(path: "sessions", body: "{", status: 400, code: "invalid-json"),
        Refused(path: "sessions", body: "[1]", status: 400, code: "invalid-json"),
        Refused(
            path: "sessions",
            body: #"{"sessionId":"a b"}"#,
            status: 400,
            code: "invalid-field",
            field: "/sessionId"
        ),
        Refused(
            path: "sessions",
            body: #"{"sessionId":"\#(String(repeating: "x", count: 129))"}"#,
            status: 400,
            code: "invalid-field",
            field: "/sessionId"
        ),
        Refused(
            path: "sessions",
            body: #"{"taskPriority":"urgent"}"#,
            status: 400,
            code: "invalid-field",
            field: "/taskPriority"
        ),
        Refused(
            path: "sessions",
            body: #"{"startTime":"soon"}"#,
            status: 400,
            code: "invalid-field",
            field: "/startTime"
        ),
        Refused(
            path: "sessions",
            body: #"{"startTime":"1969-12-31T23:59:59Z"}"#,
            status: 400,
            code: "invalid-field",
            field: "/startTime"
        ),
        Refused(path: "sessions", body: #"{"linkMode":"own"}"#, status: 400, code: "invalid-field", field: "/linkMode"),
        Refused(
            path: "sessions",
            body: #"{"trace":{"traceId":"x"}}"#,
            status: 400,
            code: "invalid-field",
            field: "/trace/traceId"
        ),
        Refused(path: "sessions/none/steps", body: #"{"stepAction":"plan"}"#, status: 404, code: "unknown-session"),
        Refused(path: "sessions/none/end", status: 404, code: "unknown-session"),
        Refused(path: "sessions/none/heartbeat", status: 404, code: "unknown-session"),
        Refused(path: "sessions/none/spawn", body: #"{"childAgentId":"a"}"#, status: 404, code: "unknown-session"),
        Refused(path: "sessions/s/spawn", status: 400, code: "invalid-field", field: "/childAgentId"),
        Refused(path: "sessions/s/end", status: 400, code: "invalid-field", field: "/outcome"),
        Refused(
            path: "sessions/s/end",
            body: #"{"outcome":""}"#,
            status: 400,
            code: "invalid-field",
            field: "/outcome"
        ),
        Refused(
            path: "sessions/s/end",
            body: #"{"outcome":"running"}"#,
            status: 400,
            code: "invalid-field",
            field: "/outcome"
        ),
        Refused(
            path: "sessions/s/end",
            body: #"{"outcome":"needs_input"}"#,
            status: 400,
            code: "invalid-field",
            field: "/outcome"
        ),
        Refused(
            path: "sessions/s/steps",
            body: #"{"stepAction":"x","waitsOn":{"kind":"moon"}}"#,
            status: 400,
            code: "invalid-field",
            field: "/waitsOn/kind"
        ),
        Refused(
            path: "sessions/s/steps",
            body: #"{"stepAction":"x","attempt":0}"#,
            status: 400,
            code: "invalid-field",
            field: "/attempt"
        ),
        Refused(
            path: "sessions/s/steps",
            body: #"{"stepAction":"x","sessionId":"t"}"#,
            status: 400,
            code: "invalid-field",
            field: "/sessionId"
        ),
        Refused(
            path: "sessions",
            body: #"{"sessionId":"0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331"}"#,
            status: 400,
            code: "invalid-field",
            field: "/sessionId"
        ),
        Refused(path: "messages", body: #"{"messageId":"m"}"#, status: 400, code: "invalid-field", field: "/from"),
        Refused(method: "GET", path: "sessions/%zz", status: 400, code: "invalid-field", field: "path"),
        Refused(path: "sessions/s%2/end", status: 400, code: "invalid-field", field: "path"),
        Refused(
            method: "PATCH",
            path: "sessions/s/steps/none",
            body: #"{"stepOutcome":"success"}"#,
            status: 404,
            code: "unknown-step"
        ),
        Refused(path: "sessions/s/steps", status: 400, code: "invalid-field", field: "/stepAction"),
        Refused(
            path: "sessions/s/steps",
            body: #"{"stepAction":"x","endTime":"1"}"#,
            status: 400,
            code: "invalid-field",
            field: "/stepOutcome"
        ),
        Refused(
            path: "sessions/s/steps",
            body: #"{"stepAction":"x","usage":{"inputTokens":-1}}"#,
            status: 400,
            code: "invalid-field",
            field: "/usage/inputTokens"
        ),
        Refused(
            path: "sessions/s/steps",
            body: #"{"stepAction":"x","stepKind":"odd"}"#,
            status: 400,
            code: "invalid-field",
            field: "/stepKind"
        ),
        Refused(
            path: "sessions/s/steps",
            body: #"{"stepAction":"x"}"#,
            type: "text/plain",
            status: 415,
            code: "unsupported-media-type"
        ),
        Refused(path: "batch", type: "text/plain", status: 415, code: "unsupported-media-type"),
        Refused(method: "DELETE", path: "sessions", status: 405, code: "method-not-allowed"),
        Refused(method: "GET", path: "messages/none/trace", status: 404, code: "unknown-message"),
        Refused(method: "GET", path: "messages", status: 400, code: "invalid-field", field: "traceId"),
    ])
    func `Every refusal is a problem that names what is wrong`(refused: Refused) async throws {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        let answer = try await test.call(refused.method, refused.path, refused.body, type: refused.type)
        #expect(answer.status == refused.status)
        #expect(answer["code"] == refused.code)
        #expect(answer["type"] == "urn:skein:problem:\(refused.code)")
        #expect(answer["field"] == refused.field)
        #expect(answer.headers.contains { $0 == ("Content-Type", "application/problem+json") })
    }

    @Test func `Who writes to a session of spans is told what it is`() async throws {
        let test = try WorkUnderTest()
        var span = SkeinModel.Span(
            traceID: TraceID(high: 7, low: 7),
            spanID: SpanID(1),
            name: "invoke_agent a",
            startUnixNanos: 1,
            durationNanos: 1
        )
        span.attributes = [Attribute("gen_ai.operation.name", "invoke_agent")]
        try await test.store.append(SpanBatch(spans: [span]))
        let id = "\(span.traceID):\(span.spanID)"
        let answer = try await test.post("sessions/\(id)/steps", #"{"stepAction":"plan"}"#)
        #expect(answer.status == 404 && answer["code"] == "unknown-session")
        #expect(answer["detail"]?.contains("recorded by OTLP spans") == true)
        #expect(answer["detail"]?.contains("00-\(span.traceID)-\(span.spanID)-01") == true)
        let other = try await test.post("sessions/\(span.traceID):\(SpanID(2))/heartbeat")
        #expect(other.status == 404 && other["detail"]?.contains("never seen") == true)
        // A message may well come out of it.
        #expect(try await test.post("messages", #"{"from":"agent:a","sessionId":"\#(id)"}"#).status == 201)
    }

    @Test func `A body that is packed is refused with the remedy`() async throws {
        let test = try WorkUnderTest()
        for coding in ["gzip", "br"] {
            let answer = try await test.post("sessions", headers: [("Content-Encoding", coding)])
            #expect(answer.status == 415 && answer["detail"]?.contains(coding) == true)
        }
        #expect(try await test.post("sessions", headers: [("Content-Encoding", "identity")]).status == 201)
    }

    @Test func `A body above 16 MiB is too large`() async throws {
        let body = #"{"a":""# + String(repeating: "x", count: 16 << 20) + #""}"#
        let answer = try await WorkUnderTest().post("sessions", body)
        #expect(answer.status == 413 && answer["code"] == "too-large")
    }

    @Test func `Too much open work is refused until some of it has ended`() async throws {
        var limits = WorkLimits()
        limits.openStepCountMax = 2
        limits.sessionCountMax = 2
        let test = try WorkUnderTest(limits: limits)
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        _ = try await test.post("sessions", #"{"sessionId":"t"}"#)
        let third = try await test.post("sessions", #"{"sessionId":"u"}"#)
        #expect(third.status == 503 && third.headers.contains { $0.name == "Retry-After" })
        for id in ["a", "b"] { _ = try await test.post("sessions/s/steps", #"{"stepId":"\#(id)","stepAction":"x"}"#) }
        #expect(try await test.post("sessions/s/steps", #"{"stepId":"c","stepAction":"x"}"#).status == 503)
    }

    @Test func `A step that cannot be put on record is refused, and everything is on record once it can`() async throws
    {
        let test = try WorkUnderTest()
        _ = try await test.post("sessions", #"{"sessionId":"s"}"#)
        test.journal.fail(with: StoreError(.full, "the disk is full"))
        let refused = try await test.post("sessions/s/steps", #"{"stepId":"a","stepAction":"x"}"#)
        #expect(refused.status == 503 && refused["code"] == "storage-full")
        test.journal.fail(with: nil)
        #expect(try await test.post("sessions/s/steps", #"{"stepId":"a","stepAction":"x"}"#).status == 200)
        #expect(try test.restarted().work.openSpanCount(ofSession: "s") == 2)
    }
}
