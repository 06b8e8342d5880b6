// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinModel
import SkeinPropagation
import SkeinRecording
import SkeinWire
import Synchronization
import Testing
import Tracing

@Suite struct ConsoleTests {
    /// What was written.
    private final class Screen: Sendable {
        private let written = Mutex<[UInt8]>([])
        /// Whether anybody reads.
        let isOpen: Bool

        init(isOpen: Bool = true) { self.isOpen = isOpen }

        func write(_ bytes: [UInt8]) -> Bool {
            written.withLock { $0 += bytes }
            return isOpen
        }

        var text: String { String(decoding: written.withLock { $0 }, as: UTF8.self) }
    }

    private struct Console {
        let exporter: ConsoleExporter
        let tracer: SampleTracer
        let screen: Screen

        init(
            _ form: ConsoleExporter.Form = .tree(isColored: false),
            spanCountMax: Int = 100,
            pendingByteCountMax: Int = 1 << 20,
            screen: Screen = Screen()
        ) {
            self.screen = screen
            exporter = ConsoleExporter(
                form: form,
                spanCountMax: spanCountMax,
                pendingByteCountMax: pendingByteCountMax,
                clock: { (Int($0 / 3600 % 24), Int($0 / 60 % 60), Int($0 % 60)) },
                write: { screen.write($0) }
            )
            tracer = SampleTracer(alsoTo: exporter)
        }

        /// What is on the screen when all is written.
        func shown() -> String {
            #expect(exporter.forceFlush(by: .now + .seconds(10)) == .done)
            return screen.text
        }

        /// A span that `end` ends.
        func start(_ name: String, kind: SpanKind = .internal, in parent: SkeinSpan? = nil) -> SkeinSpan {
            tracer.tracer.startSpan(
                name: name,
                kind: kind,
                context: parent?.context ?? .topLevel,
                atUnixNanos: SampleTracer.start
            )
        }

        func end(_ span: SkeinSpan, after nanos: UInt64) {
            span.end(at: Moment(nanosecondsSinceEpoch: SampleTracer.start + nanos))
        }
    }

    @Test func `a trace is shown as a tree when its root ends, children in the order in which they began`() {
        let console = Console()
        let root = console.start("POST /orders", kind: .server)
        let (validate, post) = (console.start("validate", in: root), console.start("POST", kind: .client, in: root))
        let retry = console.start("retry", in: post)
        console.end(retry, after: 512)
        post.setAttribute("http.response.status_code", 503)
        console.end(post, after: 38_460_000)
        console.end(validate, after: 1_234)
        #expect(console.shown().isEmpty)
        root.setStatus(SpanStatus(code: .error, message: "no stock"))
        console.end(root, after: 1_057_900_000)
        #expect(
            console.shown() == """
                03:04:05.123 ▶ POST /orders    1.0 s  ✖ no stock   trace a0b1c2d3e4f506170000000000000001
                             ├─ validate      1.2 µs
                             └─ → POST       38.4 ms  ⚠ 503
                                └─ retry      512 ns

                """
        )
    }

    @Test func `traces at the same time are shown one after the other`() {
        let console = Console()
        let (a, b) = (console.start("a"), console.start("b"))
        let (a1, b1) = (console.start("a1", in: a), console.start("b1", in: b))
        for span in [b1, a1, b, a] { console.end(span, after: 1000) }
        let names = console.shown().split(separator: "\n").map { $0.drop { !$0.isLetter }.prefix { !$0.isWhitespace } }
        #expect(names == ["b", "b1", "a", "a1"])
    }

    @Test func `what still runs when the root ends is named, and shown when it ends`() {
        let console = Console()
        let root = console.start("root")
        let late = console.start("late", in: root)
        console.end(root, after: 1000)
        #expect(console.shown().contains("└─ late  running\n"))
        console.end(late, after: 2_000_000)
        #expect(console.shown().contains("03:04:05.123 late  2.0 ms   trace a0b1"))
    }

    @Test func `below a span that runs for long, what ends is shown by itself`() {
        let console = Console()
        let program = console.start("program")
        let (early, job) = (console.start("early", in: program), console.start("job", in: program))
        let step = console.start("step", in: job)
        console.end(early, after: 1000)
        for span in [step, job] { console.end(span, after: 6_000_000_000) }
        let shown = console.shown()
        #expect(shown.contains(" job      6.0 s   trace a0b1c2d3e4f506170000000000000001 in program\n"))
        #expect(shown.contains("└─ step  6.0 s\n") && !shown.contains("early"))
        console.end(program, after: 7_000_000_000)
        #expect(console.shown().dropFirst(shown.count).contains("└─ early"))
        #expect(!console.shown().dropFirst(shown.count).contains("job"))
    }

    @Test func `spans at the end of time are shown`() {
        let console = Console()
        let root = console.tracer.tracer.startSpan(name: "root", context: .topLevel, atUnixNanos: .max - 1)
        let child = console.tracer.tracer.startSpan(name: "child", context: root.context, atUnixNanos: .max)
        for span in [child, root] { span.end(at: Moment(nanosecondsSinceEpoch: .max)) }
        #expect(console.shown().contains("root") && console.shown().contains("└─ child"))
    }

    @Test func `with too many spans the oldest tree is shown as it is`() {
        let console = Console(spanCountMax: 3)
        let root = console.start("root")
        console.end(console.start("child", in: root), after: 1000)
        let other = console.start("other")
        #expect(console.shown().isEmpty)
        _ = console.start("one more")
        #expect(console.shown().contains("root") && console.shown().contains("└─ child"))
        console.end(other, after: 1000)
        console.end(root, after: 1000)
        #expect(console.shown().split(separator: "\n").count == 4)
    }

    @Test func `what has ended is shown in the end although its root runs`() {
        let console = Console()
        let root = console.start("root")
        console.end(console.start("child", in: root), after: 1000)
        _ = console.start("nothing has ended here")
        #expect(console.exporter.shutdown(by: .now + .seconds(10)) == .done)
        #expect(console.screen.text.contains("running") && console.screen.text.contains("└─ child"))
        #expect(!console.screen.text.contains("nothing"))
    }

    @Test func `spans that are not sampled are not shown`() {
        let console = Console()
        let tracer = SkeinTracer(sampler: AlwaysOffSampler(), processors: [console.exporter])
        tracer.startSpan("no").end()
        #expect(console.shown().isEmpty)
    }

    @Test func `colours are sent only where they are wanted`() {
        for isColored in [true, false] {
            let console = Console(.tree(isColored: isColored))
            console.tracer.span { $0.setStatus(SpanStatus(code: .error, message: "bad")) }
            #expect(console.shown().contains("\u{1b}[31m✖ bad\u{1b}[0m") == isColored)
            #expect(console.shown().contains("\u{1b}") == isColored)
        }
    }

    @Test(arguments: [ConsoleExporter.Form.tree(isColored: false), .lines])
    func `nothing in a name or a message reaches the terminal as a command`(form: ConsoleExporter.Form) {
        let console = Console(form)
        let bad = "a\u{1b}[2J\u{9b}2J\r\n\u{7f}\u{202e}é👩‍👩‍👧"
        console.tracer.span(bad) { span in
            span.setStatus(SpanStatus(code: .error, message: bad))
            span.setAttribute(bad, bad)
        }
        let shown = console.shown()
        #expect(shown.hasSuffix("\n") && shown.dropLast().allSatisfy { !$0.isNewline })
        #expect(
            shown.dropLast().unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control
                    && ($0.properties.generalCategory != .format || $0 == "\u{200d}")
            }
        )
        #expect(shown.contains("é👩‍👩‍👧"))
    }

    @Test func `long names and messages are cut`() {
        let console = Console()
        console.tracer.span(String(repeating: "n", count: 70_000)) { span in
            span.setStatus(SpanStatus(code: .error, message: String(repeating: "m", count: 70_000)))
        }
        #expect(console.shown().count < 500 && console.shown().contains("n…") && console.shown().contains("m…"))
    }

    @Test func `a span in a pipe is a line of JSON`() {
        let console = Console(.lines)
        console.tracer.span("pay", kind: .client) { span in
            span.setAttribute("amount", 5)
            span.attributes["codes"] = ["a", "b"]
            span.setStatus(SpanStatus(code: .error, message: "no\nstock"))
            span.addEvent(
                SpanEvent(
                    name: "sent",
                    at: Moment(nanosecondsSinceEpoch: 1_000_000_000),
                    attributes: ["time": 1]
                )
            )
        }
        #expect(
            console.shown() == """
                {"startTime":"2026-01-02T03:04:05.123456789Z","duration":2.0,"serviceName":"shop","name":"pay",\
                "kind":"client","traceId":"a0b1c2d3e4f506170000000000000001","spanId":"02000000000000ff",\
                "attributes":{"amount":5,"codes":["a","b"],"otel.status_code":"ERROR",\
                "otel.status_description":"no\\nstock","otel.scope.name":"Shop"},\
                "events":[{"timestamp":"1970-01-01T00:00:01.000000000Z","name":"sent","attributes.time":1}]}

                """
        )
    }

    @Test(arguments: Sample.all) func `lines are spans in plain JSON`(sample: Sample) throws {
        let console = Console(.lines)
        sample.spans.forEach(console.exporter.onEnd)
        var read: [SkeinModel.Span] = []
        var decoder = Plain.JSONDecoder()
        for line in console.shown().split(separator: "\n") {
            let decoded = try Array(line.utf8).withUnsafeBytes { try decoder.decode($0, receivedUnixNanos: 1) }
            #expect(decoded.rejectedCount == 0)
            read += (0..<decoded.batch.count).map { decoded.batch.span(at: $0) }
        }
        #expect(read.count == sample.spans.count)
        for (read, made) in zip(read, SampleTracer.rows(sample.spans)) {
            #expect(read.traceID == made.traceID && read.spanID == made.spanID)
            #expect(read.parentSpanID == made.parentSpanID && read.name == made.name && read.kind == made.kind)
            #expect(
                read.startUnixNanos == made.startUnixNanos
                    && read.durationNanos == min(made.durationNanos, UInt64(Int64.max))
            )
            #expect(read.status == made.status)
            #expect(read.events.map(\.name) == made.events.map(\.name))
            #expect(read.events.map(\.timeUnixNanos) == made.events.map(\.timeUnixNanos))
            #expect(read.attributes.count >= made.attributes.count)
        }
    }

    @Test func `a console that nobody reads is not written to again, and spans are counted`() {
        let console = Console(.lines, screen: Screen(isOpen: false))
        console.tracer.span("a")
        #expect(
            console.exporter.forceFlush(by: .now + .seconds(10))
                == .failed(count: 1, reason: "the console takes nothing any more; use another exporter")
        )
        console.tracer.span("b")
        guard case .failed(1, _) = console.exporter.forceFlush(by: .now + .seconds(10)) else {
            Issue.record("the span was taken")
            return
        }
        #expect(console.screen.text.contains("\"a\"") && !console.screen.text.contains("\"b\""))
    }

    @Test func `a console that is slow holds nothing up, and says how many spans are missing`() {
        let gate = Mutex(false)
        let screen = Screen()
        let exporter = ConsoleExporter(
            form: .lines,
            pendingByteCountMax: 100,
            clock: { _ in (0, 0, 0) },
            write: { bytes in
                while !gate.withLock({ $0 }) {}
                return screen.write(bytes)
            }
        )
        let tracer = SampleTracer(alsoTo: exporter)
        for _ in 0..<10 { tracer.span() }
        guard case .timedOut = exporter.forceFlush(by: .now) else {
            Issue.record("it is not waited for")
            return
        }
        gate.withLock { $0 = true }
        guard case .failed(let count, _) = exporter.forceFlush(by: .now + .seconds(10)) else {
            Issue.record("nothing is missing")
            return
        }
        // Told once or in parts, as the writer came to it.
        let lines = screen.text.split(separator: "\n")
        let notes = lines.compactMap { line in line.wholeMatch(of: /\{"droppedSpans":(\d+)\}/).flatMap { Int($0.1) } }
        #expect(notes.reduce(0, +) == count && lines.count == 10 - count + notes.count)
    }
}
