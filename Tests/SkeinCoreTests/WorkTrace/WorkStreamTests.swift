// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import SkeinPipeline
import SkeinStore
import Synchronization
import Testing

/// The stream of work as it goes on, with what other instrumentation reports (`agents-api.md` §5).
struct WorkStreamTests {
    private let trace = TraceID(high: 7, low: 7)

    private func span(
        _ id: UInt64,
        below parent: UInt64 = 0,
        _ name: String,
        _ attributes: [String: String]
    ) -> SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: trace,
            spanID: SpanID(id),
            parentSpanID: SpanID(parent),
            name: name,
            startUnixNanos: 1_795_341_600_000_000_000 + id,
            durationNanos: 100
        )
        span.attributes = attributes.map { Attribute($0.key, .string($0.value)) }
        return span
    }

    private var chat: SkeinModel.Span {
        span(2, below: 1, "chat m", ["gen_ai.operation.name": "chat", "gen_ai.request.model": "m"])
    }
    private var query: SkeinModel.Span { span(3, below: 2, "GET /", ["http.request.method": "GET"]) }
    private var agent: SkeinModel.Span {
        span(1, "invoke_agent coder", ["gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "coder"])
    }

    /// The names of spans and the sessions that a stream tells of, until `last` is among them.
    private func told(
        _ parameters: String,
        until last: String,
        _ test: WorkUnderTest,
        _ act: () async throws -> Void
    ) async throws -> [String] {
        let request = APIRequest(target: "/api/worktrace/v1/stream\(parameters)")
        let response = try #require(await test.api.respond(to: request))
        guard case .stream(let stream) = response.body else {
            Issue.record("no stream")
            return []
        }
        let events = Mutex<[String]>([])
        let reading = Task {
            try await stream.run { piece in
                let text = String(decoding: piece, as: UTF8.self)
                guard let data = text.split(separator: "\n").first(where: { $0.hasPrefix("data: ") }),
                    let json = try JSONSerialization.jsonObject(with: Data(data.dropFirst(6).utf8)) as? [String: Any]
                else { return }
                let name = json["name"] as? String ?? "?"
                events.withLock { $0.append("\(name) of \(json["sessionId"] as? String ?? "nobody")") }
                if name == last { throw CancellationError() }
            }
        }
        while test.live.watcherCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
        try await act()
        _ = await reading.result
        #expect(test.live.watcherCount == 0, "who leaves is forgotten")
        return events.withLock { $0 }
    }

    private func store(_ spans: [SkeinModel.Span], _ test: WorkUnderTest) async throws {
        let batch = SpanBatch(spans: spans)
        try await test.store.append(batch)
        test.live.note(batch)
    }

    @Test func `spans of agents of any dialect are told when they are stored, and no others`() async throws {
        let test = try WorkUnderTest()
        let events = try await told("", until: "chat m", test) { try await store([query, chat, agent], test) }
        let session = "\(trace):\(SpanID(1))"
        #expect(events == ["invoke_agent coder of \(session)", "chat m of \(session)"])
    }

    @Test(arguments: ["?agent=coder", "?sessionId=00000000000000070000000000000007:0000000000000001"])
    func `a span waits for its agent where it is asked whose it is`(_ parameters: String) async throws {
        let test = try WorkUnderTest()
        let other = span(
            9,
            "invoke_agent other",
            ["gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "other"]
        )
        let events = try await told(parameters, until: "chat m", test) {
            try await store([query, chat], test)
            try await Task.sleep(for: .milliseconds(300))
            try await store([other], test)
            try await store([agent], test)
        }
        let session = "\(trace):\(SpanID(1))"
        #expect(events == ["invoke_agent coder of \(session)", "chat m of \(session)"])
    }

    @Test func `what the books know is told once`() async throws {
        let test = try WorkUnderTest()
        let events = try await told("", until: "chat m", test) {
            _ = try await test.post("sessions", #"{"sessionId":"s","agentName":"coder"}"#)
            _ = try await test.post("sessions/s/end", #"{"outcome":"success"}"#)
            try await Task.sleep(for: .milliseconds(300))
            try await store([chat], test)
        }
        #expect(events == ["invoke_agent coder of s", "invoke_agent coder of s", "chat m of nobody"])
    }

    @Test func `a watcher of spans that falls behind is told how many it missed`() {
        let live = LiveTraces()
        let watcher = live.watch(for: .true, namingSpans: true)
        let spans = (1...UInt64(LiveTraces.waitingSpanCountMax + 5)).map { span($0, "x", [:]) }
        live.note(SpanBatch(spans: spans))
        let (named, droppedCount) = watcher.takeSpans()
        #expect(named[trace]?.count == LiveTraces.waitingSpanCountMax && droppedCount == 5)
        #expect(watcher.takeSpans().spans.isEmpty)
        watcher.stop()
    }
}
