// SPDX-License-Identifier: Apache-2.0

/// Which rollups of spans that are gone become one.
enum PastRollups {
    /// As long as its window lasts, neighbours are merged when there are this many.
    private static let openRunCount = 8

    /// Runs of at least two neighbours, received within one window of nanoseconds, that have at most `byteCountMax` bytes
    /// together. `walls` are segments that no rollup made by merging may cover.
    static func runs(
        _ past: [StoredRollup],
        walls: [UInt64],
        window: UInt64,
        byteCountMax: Int,
        nowUnixNanos now: UInt64
    ) -> [[StoredRollup]] {
        var runs: [[StoredRollup]] = []
        var byteCount = 0
        for rollup in past {
            let isNeighbour = runs.last?.last.map { before in
                before.footer.receivedMax / window == rollup.footer.receivedMax / window
                    && !walls.contains { before.id.firstSegment < $0 && $0 <= rollup.id.lastSegment }
            }
            if isNeighbour ?? false, rollup.byteCount <= byteCountMax - byteCount {
                runs[runs.count - 1].append(rollup)
                byteCount += rollup.byteCount
            } else {
                runs.append([rollup])
                byteCount = rollup.byteCount
            }
        }
        return runs.filter { run in
            let isOpen = (run.last?.footer.receivedMax ?? 0) / window >= now / window
            return run.count >= (isOpen ? openRunCount : 2)
        }
    }
}
