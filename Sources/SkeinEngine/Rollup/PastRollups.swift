// SPDX-License-Identifier: Apache-2.0

/// Which rollups of spans that are gone become one, and which lose their minutes.
enum PastRollups {
    /// How they are tended, in nanoseconds.
    struct Tending: Sendable {
        /// Age at which they are removed; `nil` for never.
        var ageNanos: UInt64?
        /// Neighbours whose spans were received within one window of this length become one.
        var windowNanos: UInt64
        /// Age at which they lose their minutes, which take most of the room.
        var minuteAgeNanos: UInt64
        /// The same as `windowNanos`, for those without minutes.
        var hourWindowNanos: UInt64
    }

    /// Rollups that one takes the place of; one of them loses its minutes.
    struct Run {
        var rollups: [StoredRollup]
        var keepsMinutes: Bool
    }

    /// As long as its window lasts, neighbours are merged when there are this many.
    private static let openRunCount = 8

    /// Whether the last span was received longer ago than `age`. A clock that was set back makes nothing old.
    static func isOlder(_ rollup: StoredRollup, than age: UInt64?, _ now: UInt64) -> Bool {
        guard let age else { return false }
        let received = rollup.footer.receivedMax
        return now > received && now - received > age
    }

    /// Neighbours that are to become one, of at most `byteCountMax` bytes together, and old ones that still have minutes.
    /// `walls` are segments that no rollup made by merging may cover.
    static func runs(
        _ past: [StoredRollup],
        walls: [UInt64],
        _ tending: Tending,
        byteCountMax: Int,
        nowUnixNanos now: UInt64
    ) -> [Run] {
        var runs: [Run] = []
        var byteCount = 0
        for rollup in past {
            let isOld = isOlder(rollup, than: tending.minuteAgeNanos, now)
            let window = isOld ? tending.hourWindowNanos : tending.windowNanos
            let isNeighbour = runs.last.flatMap { run in
                run.rollups.last.map { before in
                    run.keepsMinutes == !isOld
                        && before.footer.receivedMax / window == rollup.footer.receivedMax / window
                        && !walls.contains { before.id.firstSegment < $0 && $0 <= rollup.id.lastSegment }
                }
            }
            if isNeighbour ?? false, rollup.byteCount <= byteCountMax - byteCount {
                runs[runs.count - 1].rollups.append(rollup)
                byteCount += rollup.byteCount
            } else {
                runs.append(Run(rollups: [rollup], keepsMinutes: !isOld))
                byteCount = rollup.byteCount
            }
        }
        return runs.filter { run in
            if !run.keepsMinutes { return run.rollups.count > 1 || run.rollups.contains { !$0.footer.minutes.isEmpty } }
            let isOpen = (run.rollups.last?.footer.receivedMax ?? 0) / tending.windowNanos >= now / tending.windowNanos
            return run.rollups.count >= (isOpen ? openRunCount : 2)
        }
    }
}
