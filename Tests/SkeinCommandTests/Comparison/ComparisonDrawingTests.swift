// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import SkeinCommand

@Suite struct ComparisonDrawingTests {
    static let plain = Terminal(width: 90, hasColor: false, hasUnicode: true)

    /// A path as (parent, depth, operation, spans and milliseconds of A and of B; none where it is not).
    typealias Row = (parent: Int, depth: Int, operation: String, a: (Double, UInt64)?, b: (Double, UInt64)?)

    static func answer(_ rows: [Row]) -> ComparisonAnswer {
        func figures(_ side: (Double, UInt64)?) -> ComparisonAnswer.Figures? {
            side.map {
                .init(spanCount: $0.0, errorCount: 0, totalNanos: "\($0.1)000000", selfNanos: "\($0.1)000000")
            }
        }
        let paths = rows.map { row in
            ComparisonAnswer.Path(
                parent: row.parent,
                depth: row.depth,
                service: "shop",
                operation: row.operation,
                change: row.a == nil
                    ? .onlyB : row.b == nil ? .onlyA : row.a! == row.b! ? .same : .changed,
                a: figures(row.a),
                b: figures(row.b)
            )
        }
        return ComparisonAnswer(
            a: .init(
                traceIds: ["0af7651916cd43dd8448eb211c80319c"],
                spanCount: 3,
                errorCount: 1,
                durationNanos: "9000000"
            ),
            b: .init(traceIds: ["1", "2"], spanCount: 2.5, errorCount: 0, durationNanos: "27000000"),
            changes: .init(
                onlyA: paths.count { $0.change == .onlyA },
                onlyB: paths.count { $0.change == .onlyB },
                changed: paths.count { $0.change == .changed },
                same: paths.count { $0.change == .same }
            ),
            services: [.init(name: "shop", color: 2)],
            paths: paths
        )
    }

    static let small = answer([
        (-1, 0, "GET /\u{1b}[2J", (1, 9), (1, 27)), (0, 1, "order", (2, 4), (2.5, 4)), (1, 2, "charge", (1, 3), nil),
        (0, 1, "cache", nil, (1, 1)), (0, 1, "log", (1, 1), (1, 1)),
    ])

    @Test func `a comparison is a tree of what differs, with both sides and who takes more time`() {
        #expect(
            ComparisonDrawing(Self.small, on: Self.plain, limit: 60).lines() == [
                "A  0af7651916cd43dd8448eb211c80319c       9ms  3 spans  1 error",
                "B  average of 2 traces                   27ms  2.5 spans  no errors",
                "",
                "  PATH                 SPANS         A         B   OWN TIME",
                "~ shop GET /␛[2J           1       9ms      27ms      +18ms  ━━━━━━━━━━━━━━━━━━━━━━━━",
                "~ ├─ shop order      2 → 2.5       4ms       4ms          =",
                "- │  ╰─ shop charge    1 → 0       3ms         -       -3ms  ━━━━",
                "+ ╰─ shop cache        0 → 1         -       1ms       +1ms  ━╸",
                "",
                "1 only in A, 1 only in B, 2 changed, 1 the same.",
            ]
        )
    }

    @Test func `all rows are drawn when asked, and few when there are too many`() {
        let all = ComparisonDrawing(Self.small, on: Self.plain, limit: 0).lines()
        #expect(all.contains { $0.contains("log") })
        let few = ComparisonDrawing(Self.small, on: Self.plain, limit: 1).lines()
        #expect(few.count { $0.contains("shop ") } == 1)
        #expect(few.last?.contains("3 that differ not shown") == true)
    }

    @Test func `traces that are the same have no rows`() {
        let same = Self.answer([(-1, 0, "GET /", (1, 9), (1, 9))])
        let lines = ComparisonDrawing(same, on: Self.plain, limit: 60).lines()
        #expect(lines.last == "0 only in A, 0 only in B, 0 changed, 1 the same.")
        #expect(lines.count == 4)
    }

    @Test func `no line is wider than the terminal, whatever the depth`() {
        let deep = Self.answer((0..<200).map { ($0 - 1, $0, "a rather long operation", (1, 9), (1, UInt64($0) + 10)) })
        for width in [72, 100, 200] {
            let terminal = Terminal(width: width, hasColor: false, hasUnicode: true)
            for line in ComparisonDrawing(deep, on: terminal, limit: 0).lines().dropFirst(2) {
                #expect(TerminalText.width(line) <= width, "\(line)")
            }
        }
    }

    @Test func `without Unicode the drawing is ASCII`() {
        let terminal = Terminal(width: 90, hasColor: false, hasUnicode: false)
        let drawing = ComparisonDrawing(Self.small, on: terminal, limit: 0).lines().joined().replacing("␛", with: "")
        #expect(drawing.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test func `an answer that contradicts itself is not sound`() {
        var answer = Self.small
        #expect(answer.isSound)
        answer.paths[0].parent = 0
        #expect(!answer.isSound)
    }
}
