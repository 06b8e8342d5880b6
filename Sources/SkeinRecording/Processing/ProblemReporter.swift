// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tells of what goes wrong again and again, each kind at most once a minute, with how often it went wrong since.
final class ProblemReporter: Sendable {
    enum Kind: Hashable, Sendable { case dropped, unfinished, failed, rejected }

    private struct Told {
        var next: ContinuousClock.Instant
        var untoldCount = 0
    }

    private let report: @Sendable (String) -> Void
    private let told = Mutex<[Kind: Told]>([:])

    init(_ report: @escaping @Sendable (String) -> Void) { self.report = report }

    /// Tells of `count` more, or keeps the number for the next time.
    func tell(_ kind: Kind, _ count: Int, _ sentence: (Int) -> String) {
        let due = told.withLock { told -> Int? in
            var entry = told[kind] ?? Told(next: .now)
            entry.untoldCount += count
            defer { told[kind] = entry }
            guard entry.next <= .now else { return nil }
            defer { (entry.next, entry.untoldCount) = (.now + .seconds(60), 0) }
            return entry.untoldCount
        }
        if let due { report(sentence(due)) }
    }
}
