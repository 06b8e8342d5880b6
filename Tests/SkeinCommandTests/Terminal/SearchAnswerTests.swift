// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SkeinCommand

@Suite struct SearchAnswerTests {
    static let answer = SearchAnswer(
        traces: [
            .init(
                traceId: "0af7651916cd43dd8448eb211c80319c",
                rootServiceName: "front\u{1b}",
                rootSpanName: "GET /",
                startTimeUnixNano: "1763853001123000000",
                durationNanos: "1240000",
                spanCount: 1_200,
                errorCount: 2
            ),
            .init(
                traceId: "0000000000000000000000000000002a",
                rootServiceName: "",
                rootSpanName: "",
                startTimeUnixNano: "1763853000000000000",
                durationNanos: "0",
                spanCount: 1,
                errorCount: 0
            ),
        ],
        next: nil
    )

    @Test func `traces are one line each, whole where no window limits them`() {
        let output = Terminal(width: 40, isWindow: false, hasColor: false, hasUnicode: true)
        #expect(
            Self.answer.table(isNarrow: false).lines(on: output) == [
                "TRACE                             STARTED (UTC)            DURATION  SPANS  ERRORS  SERVICE        OPERATION",
                "0af7651916cd43dd8448eb211c80319c  2025-11-22 23:10:01.123    1.24ms  1,200       2  front␛         GET /",
                "0000000000000000000000000000002a  2025-11-22 23:10:00.000       0ns      1       0  (no root yet)  ",
            ]
        )
    }

    @Test func `a narrow window gets times without the date of the day`() {
        let window = Terminal(width: 90, hasColor: false, hasUnicode: true)
        let lines = Self.answer.table(isNarrow: true).lines(on: window)
        #expect(lines[1].hasPrefix("0af7651916cd43dd8448eb211c80319c  23:10:01    1.24ms"))
        #expect(lines.allSatisfy { TerminalText.width($0) <= 90 })
    }
}
