// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// A trace in the native API while agents work in it: what has not ended is there too.
@Suite struct OpenTraceTests {
    private func ids(_ skeleton: WorkUnderTest.Answer) -> [String] {
        (skeleton.json["spans"] as? [String: Any])?["id"] as? [String] ?? []
    }

    private func isTagged(_ answer: WorkUnderTest.Answer) -> Bool { answer.headers.contains { $0.name == "ETag" } }

    /// An agent whose step `a` goes on, in a trace of which nothing is stored.
    private func begun() async throws -> (test: WorkUnderTest, trace: String?) {
        let test = try WorkUnderTest()
        let trace = try await test.post("sessions", #"{"sessionId":"s","agentName":"coder"}"#)["traceId"]
        #expect(try await test.post("sessions/s/steps", #"{"stepId":"a","stepAction":"tool:grep"}"#).status == 201)
        test.clock.turn(seconds: 20)
        return (test, trace)
    }

    @Test func `A trace of which nothing is stored yet answers with what is open`() async throws {
        let (test, trace) = try await begun()
        let skeleton = try await test.trace(trace, "/skeleton")
        #expect(skeleton.status == 200 && ids(skeleton).count == 2 && !isTagged(skeleton))
        #expect(skeleton["open.0"] == "0" && skeleton["open.1"] == "1" && skeleton["open.2"] == nil)
        #expect(skeleton["spans.duration.1"] == "20000000000")
        #expect(skeleton["agents"] == "1")
        #expect(skeleton["warnings.0.code"] == "open")
        let whole = try await test.trace(trace)
        #expect(whole.status == 200 && whole["open"] == "1" && !isTagged(whole))
        let found = try await test.trace(trace, "/spans?ids=\(ids(skeleton)[1])")
        #expect(found["spans.0.span.name"] == "execute_tool grep")
    }

    @Test func `What ends is stored, and then is there once, with a tag when nothing is open`() async throws {
        let (test, trace) = try await begun()
        #expect(try await test.post("sessions/s/steps", #"{"stepId":"b","stepAction":"llm"}"#).status == 201)
        test.clock.turn(seconds: 1)
        _ = try await test.patch("sessions/s/steps/a", #"{"stepOutcome":"success"}"#)
        let half = try await test.trace(trace, "/skeleton")
        #expect(try await test.spans(trace).count == 1)
        #expect(Set(ids(half)).count == 3 && ids(half).count == 3)
        #expect((half.json["open"] as? [Int])?.count == 2 && !isTagged(half))
        // Windows go on where the last one ended, whether that was stored or not.
        var paged: [String] = []
        var cursor = ""
        repeat {
            let page = try await test.trace(trace, "/spans?limit=1&cursor=\(cursor)")
            #expect(page["spanCount"] == "3")
            paged.append(page["spans.0.span.spanId"] ?? "")
            cursor = page["next"] ?? ""
        } while !cursor.isEmpty && paged.count < 5
        #expect(paged.sorted() == ids(half).sorted())
        _ = try await test.patch("sessions/s/steps/b", #"{"stepOutcome":"success"}"#)
        _ = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
        test.clock.turn(seconds: 20)
        let all = try await test.trace(trace, "/skeleton")
        #expect(ids(all).count == 3 && (all.json["open"] as? [Int]) == [] && all["agents"] == "1" && isTagged(all))
        #expect(try await test.trace(trace)["open"] == nil)
    }
}
