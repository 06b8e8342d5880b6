// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Synchronization

/// Decisions about sessions that are held.
extension WorkTrace {
    /// Decides about root sessions whose time has come, and about more of them when they take up too much room.
    package func decideHeld() async {
        guard !isDeciding.exchange(true, ordering: .acquiring) else { return }
        defer { isDeciding.store(false, ordering: .releasing) }
        let due = read { $0.dueRoots(at: clock.unixNanos, isTight: $0.isTight) }
        for start in stride(from: 0, to: due.count, by: Self.rootsAtOnce) {
            await decide(due[start..<min(start + Self.rootsAtOnce, due.count)])
        }
        // What goes on and finds no room is kept, rather than given up; but not while the store takes nothing, which makes no room.
        while !isBehind.load(ordering: .relaxed), let root = read({ $0.isTight ? $0.oldestHeldRoot : nil }) {
            guard await decide([root], isForced: true) else { return }
        }
    }

    /// Roots that are put on record together.
    private static let rootsAtOnce = 50

    /// Whether it was put on record and stored.
    @discardableResult
    private func decide(_ roots: ArraySlice<String>, isForced: Bool = false) async -> Bool {
        let decided = roots.map { root in
            let (forest, sampling) = read { ($0.forest(of: root, at: clock.unixNanos), $0.sampling) }
            let judgement =
                isForced
                ? SessionJudgement(isKept: true, reason: "there was no room to wait for its end")
                : sampling.judge(forest)
            return (forest, judgement)
        }
        // A record that is lost is written with the next, and nothing is stored twice that has the same ids.
        let done = try? await perform { ledger, now, effects in
            for (forest, judgement) in decided where isForced || ledger.isStill(forest) {
                ledger.settle(judgement, forest, at: now, &effects)
            }
        }
        return done.map { !$0.isBehind } ?? false
    }

    /// `POST sessions/{id}/keep`.
    func keep(_ id: String, _ object: WorkObject) async throws(APIError) -> Answer<WorkSession> {
        var object = object
        let reason = try object.text("reason") ?? ""
        return try await perform { ledger, now, effects throws(APIError) in
            try ledger.pin(id, for: reason, at: now, &effects)
        }
    }
}
