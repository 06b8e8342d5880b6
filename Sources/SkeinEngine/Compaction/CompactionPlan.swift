// SPDX-License-Identifier: Apache-2.0

/// Which blocks become one next.
///
/// Blocks are merged with their neighbours in order of arrival only, so that a block's name says which others it
/// supersedes. Sizes fall into tiers, each eight times the one before; eight neighbours of a tier become one block of
/// the next, so a span is written once for each tier. Where nothing more is to come, because the time window has passed
/// or nobody sends, fewer do. Blocks of different windows stay apart: retention drops whole blocks.
struct CompactionPlan: Sendable {
    /// Spans, traces and bytes of a block made by merging.
    var spanCountMax = 8 << 20
    var traceCountMax = 1 << 20
    var byteCountMax = 512 << 20
    /// Bytes of the tables of such a block, unpacked: a merge holds them in memory, and the cache does.
    var tableByteCountMax = 16 << 20
    /// Blocks whose spans were received within one such window of nanoseconds may become one.
    var windowNanos: UInt64
    /// Neighbours of a tier that are merged while spans come, while none do, and when their window has passed.
    var fanIn = 8
    var idleFanIn = 4
    var closedFanIn = 2
    /// Blocks merged at once.
    var inputsMax = 8

    /// Spans of the first tier.
    static let tierSpanCount = 256 << 10

    /// What the plan needs to know of a block.
    struct Candidate {
        var id: BlockID
        var spanCount: Int
        var traceCount: Int
        var byteCount: Int
        /// Of its tables, unpacked.
        var tableByteCount = 0
        var receivedMin: UInt64
        var receivedMax: UInt64
    }

    /// Windows are as long as a day, but no longer than a thirtieth of the time that spans are kept.
    init(retentionAgeNanos: UInt64?, retentionByteCount: Int?) {
        let day: UInt64 = 86_400_000_000_000
        windowNanos = max(min(day, (retentionAgeNanos ?? .max) / 30), 60_000_000_000)
        byteCountMax = Quota.blockByteCount(byteCountMax, quota: retentionByteCount)
    }

    /// The blocks to merge now, neighbours in order of arrival; `nil` when none are.
    ///
    /// - Parameter runs: Neighbours in order of arrival. What lies between two runs must not be merged across.
    func next(_ runs: [[Candidate]], nowUnixNanos now: UInt64, isIdle: Bool) -> [BlockID]? {
        for run in runs {
            for window in windows(of: run) {
                let isClosed = window.allSatisfy { $0.receivedMax / windowNanos < now / windowNanos }
                let least = isClosed ? closedFanIn : isIdle ? idleFanIn : fanIn
                if let chosen = next(window, atLeast: least) { return chosen }
            }
        }
        return nil
    }

    private func windows(of run: [Candidate]) -> [ArraySlice<Candidate>] {
        var windows: [ArraySlice<Candidate>] = []
        var start = 0
        for index in run.indices where index > 0 {
            if run[index].receivedMax / windowNanos != run[start].receivedMax / windowNanos {
                windows.append(run[start..<index])
                start = index
            }
        }
        if start < run.count { windows.append(run[start...]) }
        return windows
    }

    private func next(_ window: ArraySlice<Candidate>, atLeast least: Int) -> [BlockID]? {
        let tiers = Set(window.map(Self.tier)).sorted()
        for tier in tiers {
            var start = window.startIndex
            while start < window.endIndex {
                let end = end(of: window, from: start, tier)
                if end - start >= least, isWorthwhile(window[start..<end]) { return window[start..<end].map(\.id) }
                start = max(end, start + 1)
            }
        }
        return nil
    }

    /// As many neighbours of a tier, or of smaller ones, as may become one block.
    private func end(of window: ArraySlice<Candidate>, from start: Int, _ tier: Int) -> Int {
        var (spans, traces, bytes, tableBytes) = (0, 0, 0, 0)
        var end = start
        while end < window.endIndex, end - start < inputsMax, Self.tier(window[end]) <= tier {
            spans += window[end].spanCount
            traces += window[end].traceCount
            bytes += window[end].byteCount
            tableBytes += window[end].tableByteCount
            let isTooLarge = spans > spanCountMax || traces > traceCountMax || bytes > byteCountMax
            if isTooLarge || tableBytes > tableByteCountMax { break }
            end += 1
        }
        return end
    }

    /// Whether the smaller blocks repay writing the largest one again.
    private func isWorthwhile(_ chosen: ArraySlice<Candidate>) -> Bool {
        let largest = chosen.map(\.spanCount).max() ?? 0
        let total = chosen.reduce(0) { $0 + $1.spanCount }
        return total <= Self.tierSpanCount || largest * 3 <= total * 2
    }

    private static func tier(_ block: Candidate) -> Int {
        var tier = 0
        var limit = tierSpanCount
        while block.spanCount >= limit, tier < 16 {
            tier += 1
            limit *= 8
        }
        return tier
    }
}
