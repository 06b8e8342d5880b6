// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

/// Answers that are made while they are sent: live tails and searches line by line.
struct StreamedAnswerTests {
    private let path = "/api/skein/v1"

    @Test func `a search comes line by line, and the last line says where to go on`() async throws {
        let spans = (UInt64(1)...300).map { Shop.span(1, trace: TraceID(high: 3, low: $0), at: $0) }
        let api = try await APIUnderTest(spans)
        let accept = [(name: "Accept", value: "application/x-ndjson")]
        let answer = try await api.ask("\(path)/search?limit=250", headers: accept)
        let pieces = try await pieces(of: answer)
        let lines = pieces.joined().split(separator: "\n")
        #expect(pieces.count > 2, "the first traces do not wait for the last")
        #expect(lines.count == 251)
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("{\"traceId\":") })
        let whole = try await api.json("\(path)/search?limit=250")
        let next = try #require(whole["next"].string)
        #expect(lines.last?.hasPrefix("{\"next\":\"\(next)\"") == true)
    }

    /// Finds nothing until it may.
    private struct SlowStore: StoreWrapper {
        let wrapped: any SpanStore
        let isDone = Gate()

        func search<Evaluator: TraceEvaluator>(
            _ query: TraceQuery,
            evaluatedBy evaluator: Evaluator
        ) async throws(StoreError) -> EvaluatedPage<Evaluator.Answer> {
            let progress = SearchProgress.current
            progress?.begin(blockCount: 3)
            progress?.open(block: 0, pieceCount: 2)
            progress?.open(block: 1, pieceCount: 0)
            progress?.finishPiece(ofBlock: 0)
            progress?.finishPiece(ofBlock: 0)
            progress?.add(spanCount: 70)
            await isDone.wait()
            return try await wrapped.search(query, evaluatedBy: evaluator)
        }
    }

    /// Opened once.
    private final class Gate: Sendable {
        private let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        func open() { continuation.finish() }
        func wait() async { for await _ in stream {} }
    }

    @Test func `a search that goes on says how far it is, once for each step`() async throws {
        let memory = MemoryStore()
        try await memory.append(SpanBatch(spans: Shop.order))
        let store = SlowStore(wrapped: memory)
        let answer = try await APIUnderTest(over: store).ask(
            "\(path)/search",
            headers: [("Accept", "application/x-ndjson")]
        )
        guard case .stream(let stream) = answer.body else { throw Unexpected() }
        let lines = Mutex<[String]>([])
        try await stream.run { piece in
            lines.withLock { $0.append(String(decoding: piece, as: UTF8.self)) }
            store.isDone.open()
        }
        let found = lines.withLock { $0 }
        #expect(found.count == 3)
        #expect(found[0] == #"{"progress":{"blocksDone":2,"blockCount":3,"spans":70}}"# + "\n")
        #expect(found[1].hasPrefix(#"{"traceId":"#) && found[2].hasPrefix(#"{"next":null"#))
    }

    @Test(arguments: ["", "&order=duration"])
    func `the engine tells how much of its blocks it has looked at`(order: String) async throws {
        let spans = (UInt64(1)...40).map { Shop.span(1, trace: TraceID(high: 3, low: $0), at: $0) }
        let api = try await StoreUnderTest.both.api(spans)
        let progress = SearchProgress()
        let answer = try await SearchProgress.$current.withValue(progress) {
            try await api.json("\(path)/search?limit=50&spans=1\(order)")
        }
        #expect(answer["traces"].array.count == 40)
        #expect(progress.figures.blockCount == 1 && progress.figures.blocksDone == 1)
        #expect(progress.figures.spanCount >= 20)
    }

    @Test func `a tail tells of traces that match, however they came together`() async throws {
        let live = LiveTraces()
        let store = MemoryStore()
        let api = APIUnderTest(over: store, live: live)
        let query = escaped("{ resource.service.name = \"web\" } >> { status = error }")
        let answer = try await api.ask("\(path)/tail?q=\(query)&spans=1")
        guard case .stream(let stream) = answer.body else { throw Unexpected() }
        let seen = Mutex<[String]>([])
        let reading = Task {
            try await stream.run { piece in
                let text = String(decoding: piece, as: UTF8.self)
                seen.withLock { $0.append(text) }
                if text.hasPrefix("event: trace") { throw Unexpected() }
            }
        }
        while live.watcherCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
        // Another trace, then the parts of one, the last of which makes it an answer.
        for span in [Shop.span(9, trace: TraceID(high: 9, low: 9))] + Shop.order {
            let batch = SpanBatch(spans: [span])
            try await store.append(batch)
            live.note(batch)
        }
        _ = await reading.result
        let events = seen.withLock { $0 }
        #expect(events.first?.hasPrefix("event: start\ndata: {}\n\n") == true)
        #expect(events.last?.hasPrefix("event: trace\ndata: {\"traceId\":\"\(Shop.traceID)\"") == true)
        #expect(events.count { $0.hasPrefix("event: trace") } == 1)
        #expect(live.watcherCount == 0, "who leaves is forgotten")
    }

    @Test func `a watcher that falls behind is told how many traces it missed`() {
        let live = LiveTraces()
        let watcher = live.watch(for: .true)
        let spans = (UInt64(1)...1_200).map { Shop.span(1, trace: TraceID(high: 3, low: $0), at: $0) }
        live.note(SpanBatch(spans: spans))
        let (traces, droppedCount) = watcher.take()
        #expect(traces.count == LiveTraces.waitingCountMax)
        #expect(droppedCount == 200)
        #expect(watcher.take().traces.isEmpty)
        watcher.stop()
        #expect(live.watcherCount == 0)
    }

    @Test func `a watcher is told of every span of a trace that was worth a look once`() throws {
        let live = LiveTraces()
        let watcher = live.watch(for: .compare(.name, .equal, .string("wanted")))
        func note(_ trace: UInt64, _ name: String) -> [TraceID] {
            live.note(SpanBatch(spans: [Shop.span(1, trace: TraceID(high: 3, low: trace), name: name)]))
            return watcher.take().traces
        }
        #expect(note(1, "root").isEmpty && note(2, "other").isEmpty)
        #expect(note(1, "wanted") == [TraceID(high: 3, low: 1)])
        // What the query asks of the whole trace may hold only now.
        #expect(note(1, "late root") == [TraceID(high: 3, low: 1)])
        #expect(note(2, "other").isEmpty)
        // Whoever is told of many forgets the first ones.
        let many = (UInt64(10)..<110_010).map { Shop.span(1, trace: TraceID(high: 3, low: $0), name: "wanted") }
        live.note(SpanBatch(spans: many))
        _ = watcher.take()
        #expect(note(1, "late").isEmpty && !note(110_000, "late").isEmpty)
    }

    private struct Unexpected: Error {}

    private func pieces(of answer: APIResponse) async throws -> [String] {
        guard case .stream(let stream) = answer.body else { throw Unexpected() }
        let pieces = Mutex<[String]>([])
        try await stream.run { piece in pieces.withLock { $0.append(String(decoding: piece, as: UTF8.self)) } }
        return pieces.withLock { $0 }
    }
}
