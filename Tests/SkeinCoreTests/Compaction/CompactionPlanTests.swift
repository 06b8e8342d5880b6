// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SkeinEngine

@Suite struct CompactionPlanTests {
    private let hour: UInt64 = 3_600_000_000_000
    private let plan = CompactionPlan(retentionAgeNanos: nil, retentionByteCount: nil)

    /// Blocks of so many thousand spans, one behind the other.
    private func blocks(_ thousands: [Int], received: UInt64 = 1) -> [CompactionPlan.Candidate] {
        thousands.enumerated().map { number, spans in
            let segment = UInt64(number + 1)
            return .init(
                id: BlockID(firstSegment: segment, lastSegment: segment),
                spanCount: spans * 1_000,
                traceCount: spans * 50,
                byteCount: spans * 30_000,
                receivedMin: received,
                receivedMax: received
            )
        }
    }

    private func chosen(_ runs: [[CompactionPlan.Candidate]], idle: Bool = false, now: UInt64 = 2) -> [UInt64] {
        plan.next(runs, nowUnixNanos: now, isIdle: idle)?.map(\.firstSegment) ?? []
    }

    @Test func `eight neighbours of a tier become one`() {
        #expect(chosen([blocks([Int](repeating: 128, count: 7))]).isEmpty)
        #expect(chosen([blocks([Int](repeating: 128, count: 8))]) == Array(1...8))
        #expect(chosen([blocks([4_000] + [Int](repeating: 128, count: 8))]) == Array(2...9))
        #expect(chosen([blocks([128, 128, 128, 128, 4_000, 128, 128, 128, 128])]).isEmpty)
    }

    @Test func `smaller blocks among those of a tier go with them`() {
        #expect(chosen([blocks([1_000, 1_000, 128, 1_000, 1_000, 5, 1_000, 1_000])]) == Array(1...8))
    }

    @Test func `fewer are enough when nobody sends or the window has passed`() {
        #expect(chosen([blocks([128, 128, 128])], idle: true).isEmpty)
        #expect(chosen([blocks([128, 128, 128, 128])], idle: true) == [1, 2, 3, 4])
        #expect(chosen([blocks([128, 128])], now: 25 * hour) == [1, 2])
    }

    @Test func `a large block is not written again for little`() {
        #expect(chosen([blocks([2_000, 300, 300])], now: 25 * hour).isEmpty)
        #expect(chosen([blocks([2_000, 1_900, 1_000])], now: 25 * hour) == [1, 2, 3])
    }

    @Test func `no block outgrows its bounds`() {
        let chosen = chosen([blocks([Int](repeating: 2_000, count: 8))])
        #expect(chosen.isEmpty)
        #expect(self.chosen([blocks([Int](repeating: 1_000, count: 16))]) == Array(1...8))
    }

    @Test func `blocks with large tables stay apart`() {
        var eight = blocks([Int](repeating: 128, count: 8))
        for index in eight.indices { eight[index].tableByteCount = 2 << 20 }
        #expect(chosen([eight]) == Array(1...8))
        for index in eight.indices { eight[index].tableByteCount = 9 << 20 }
        #expect(chosen([eight]).isEmpty && chosen([eight], now: 25 * hour).isEmpty)
        // Those beside them are merged still.
        eight[3].tableByteCount = 1
        eight[4].tableByteCount = 1
        #expect(chosen([eight], now: 25 * hour) == [3, 4, 5])
    }

    @Test func `walls and windows are not merged across`() {
        let eight = blocks([Int](repeating: 128, count: 8))
        #expect(chosen([Array(eight[..<4]), Array(eight[4...])]).isEmpty)
        var early = eight
        for index in 0..<4 { early[index].receivedMax = 23 * hour }
        for index in 4..<8 { early[index].receivedMax = 25 * hour }
        #expect(chosen([early], now: 25 * hour) == [1, 2, 3, 4])
    }

    @Test func `windows and blocks stay small beside what retention keeps`() {
        #expect(plan.windowNanos == 24 * hour)
        #expect(CompactionPlan(retentionAgeNanos: 30 * hour, retentionByteCount: nil).windowNanos == hour)
        #expect(CompactionPlan(retentionAgeNanos: nil, retentionByteCount: 160 << 20).byteCountMax == 10 << 20)
    }
}
