// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SkeinCommand

@Suite struct WaterfallTests {
    static let plain = Terminal(width: 72, hasColor: false, hasUnicode: true)

    /// Rows as (parent, service, operation, start, duration, status), in milliseconds.
    static func trace(_ rows: [(Int, Int, Int, UInt64, UInt64, Int)]) -> TraceSkeleton {
        TraceSkeleton(
            traceId: "0af7651916cd43dd8448eb211c80319c",
            traceStartUnixNano: "1763853001123000000",
            durationNanos: "100000000",
            spanCount: rows.count,
            errorCount: rows.count { $0.5 == 2 },
            rootServiceName: "front",
            rootSpanName: "GET /",
            services: [
                .init(name: "front", color: 0, spanCount: 2, errorCount: 0),
                .init(name: "cart", color: 3, spanCount: 1, errorCount: 1),
            ],
            operations: ["GET /", "shop.Cart/Get\u{1b}[2J"],
            spans: .init(
                id: rows.indices.map { "000000000000000\($0 % 10)" },
                parent: rows.map(\.0),
                service: rows.map(\.1),
                operation: rows.map(\.2),
                kind: rows.map { _ in 2 },
                status: rows.map(\.5),
                start: rows.map { $0.3 * 1_000_000 },
                duration: rows.map { $0.4 * 1_000_000 },
                events: rows.map { _ in 0 }
            ),
            missingParents: [],
            warnings: []
        )
    }

    static let small = trace([
        (-1, 0, 0, 0, 100, 0), (0, 1, 1, 10, 30, 2), (1, 0, 0, 20, 0, 0), (0, 0, 0, 50, 50, 0),
    ])

    @Test func `a trace is drawn as a tree with bars`() {
        #expect(
            Waterfall(Self.small, on: Self.plain, limit: 0).lines() == [
                "front  GET /  0af7651916cd43dd8448eb211c80319c",
                "100ms  4 spans  2 services  started 2025-11-22 23:10:01.123 UTC  1 error",
                "● front 2  ● cart 1",
                "",
                "                                        ╵0ns    ╵25ms   ╵50ms   ╵75ms   ",
                "front GET /                      100ms  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
                "├─ ✗ cart shop.Cart/Get␛[2J       30ms     ━━━━━━━━━━",
                "│  ╰─ front GET /                  0ns        ╸",
                "╰─ front GET /                    50ms                  ━━━━━━━━━━━━━━━━",
            ]
        )
    }

    @Test func `a trace that stands for others says for how many`() {
        func facts(_ weights: [Double]?, hasUnicode: Bool = true) -> String {
            var trace = Self.small
            trace.spans.weight = weights
            let terminal = Terminal(width: 72, hasColor: false, hasUnicode: hasUnicode)
            return Waterfall(trace, on: terminal, limit: 0).lines()[1]
        }
        #expect(facts([10, 10, 10, 10]).contains("UTC  ×10  1 error"))
        #expect(facts([10, 2.5, 1, 10.0 / 3]).contains("UTC  ×1 to ×10  1 error"))
        #expect(facts([10.0 / 3, 10.0 / 3, 10.0 / 3, 10.0 / 3], hasUnicode: false).contains("UTC  x3.33  1 error"))
        #expect(facts([1, 1, 1, 1]) == facts(nil))
    }

    @Test func `without Unicode the drawing is ASCII, and nothing depends on colour`() {
        let lines = Waterfall(Self.small, on: Terminal(width: 72, hasColor: false, hasUnicode: false), limit: 0).lines()
        let drawing = lines.dropFirst(4).joined(separator: "\n").replacing("␛", with: "")
        #expect(drawing.utf8.allSatisfy { $0 < 0x80 && $0 >= 0x0a })
        #expect(drawing.contains("`- front GET /"))
        #expect(drawing.contains("|- x cart"))
    }

    @Test func `no line is wider than the terminal`() {
        for width in [40, 60, 100, 200] {
            let terminal = Terminal(width: width, hasColor: false, hasUnicode: true)
            for line in Waterfall(Self.deep(200), on: terminal, limit: 0).lines().dropFirst(3) {
                #expect(TerminalText.width(line) <= width, "\(line)")
            }
        }
    }

    static func deep(_ count: Int) -> TraceSkeleton {
        trace((0..<count).map { ($0 - 1, $0 % 2, 1, UInt64($0 % 90), 5, 0) })
    }

    @Test func `a large trace shows failed and long spans with what stands above them`() {
        var rows: [(Int, Int, Int, UInt64, UInt64, Int)] = [(-1, 0, 0, 0, 100, 0)]
        rows += (1...50).map { (0, 1, 1, UInt64($0), $0 == 7 ? 60 : 1, 0) }
        rows.append((50, 1, 1, 60, 1, 2))
        let trace = Self.trace(rows)
        let selection = WaterfallSelection(trace.spans, limit: 4)
        #expect(selection.rows == [0, 7, 50, 51])
        #expect(selection.hiddenBelow == [0: 48])
        let lines = Waterfall(trace, on: Self.plain, limit: 4).lines()
        #expect(lines.contains { $0.hasPrefix("│  ⋯ 48 more below") })
        #expect(lines.last?.contains("48 spans not shown") == true)
    }

    @Test func `parents that have not arrived are named`() {
        var trace = Self.small
        trace.missingParents = [.init(spanId: "00000000000000aa", rows: [0])]
        trace.warnings = [.init(code: "missing-parents", message: "1 parent has not arrived.")]
        let lines = Waterfall(trace, on: Self.plain, limit: 0).lines()
        #expect(lines.contains("╌ 00000000000000aa has not arrived"))
        #expect(lines.last == "⚠ 1 parent has not arrived.")
    }

    @Test func `a deep trace keeps its nearest threads and says how deep it is`() {
        let terminal = Terminal(width: 60, hasColor: false, hasUnicode: true)
        let lines = Waterfall(Self.deep(100), on: terminal, limit: 0).lines()
        #expect(lines.last?.hasPrefix("         ╰─ 99 cart shop.") == true, "\(lines.last ?? "")")
    }

    @Test func `causes are the failed spans with no failed span below`() throws {
        var trace = Self.trace([
            (-1, 0, 0, 0, 100, 2), (0, 1, 1, 10, 30, 2), (1, 0, 0, 20, 0, 0), (0, 0, 0, 50, 50, 2),
        ])
        trace.spans.id = ["a", "b", "c", "d"]
        let causes = FailureCauses(trace)
        #expect(causes.ids == ["b", "d"])
        let answer = FailureCauses.Answer(spans: [
            .init(
                span: .init(
                    spanId: "b",
                    status: .init(message: "no"),
                    events: [
                        .init(
                            name: "exception",
                            attributes: [.init(key: "exception.message", value: .init(stringValue: "lock\nlost"))]
                        )
                    ]
                )
            ), .init(span: .init(spanId: "d", status: .init(message: "upstream"), events: nil)),
        ])
        #expect(
            causes.lines(answer, on: Self.plain) == [
                "", "✗ cart shop.Cart/Get␛[2J  lock␊lost", "✗ front GET /  upstream",
            ]
        )
    }

    @Test func `an answer that contradicts itself is found out`() {
        #expect(Self.small.isSound)
        var cases: [TraceSkeleton] = []
        for change: (inout TraceSkeleton) -> Void in [
            { $0.spans.parent[1] = 1 }, { $0.spans.parent[1] = -2 }, { $0.spans.service[2] = 2 },
            { $0.spans.operation[2] = -1 }, { $0.spans.start.removeLast() }, { $0.services[0].color = -1 },
        ] {
            var copy = Self.small
            change(&copy)
            cases.append(copy)
        }
        #expect(cases.allSatisfy { !$0.isSound })
    }

    @Test func `times that do not fit the trace stay within the drawing`() {
        var trace = Self.small
        trace.spans.start[1] = .max
        trace.spans.duration[2] = .max
        trace.spans.start[3] = 200_000_000
        for line in Waterfall(trace, on: Self.plain, limit: 0).lines() { #expect(TerminalText.width(line) <= 80) }
        trace.durationNanos = "0"
        for line in Waterfall(trace, on: Self.plain, limit: 0).lines() { #expect(TerminalText.width(line) <= 80) }
    }
}
