// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
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
