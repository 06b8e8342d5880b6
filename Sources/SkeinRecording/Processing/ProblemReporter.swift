// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tells of what goes wrong again and again, each kind at most once a minute, with how often it went wrong since.
final class ProblemReporter: Sendable {
    enum Kind: Hashable, Sendable { case overflow, late, failed, rejected }

    private struct Told {
        var next: ContinuousClock.Instant
        var untoldCount = 0
        /// How it was told the last time.
        var sentence: @Sendable (Int) -> String
    }

    private let report: @Sendable (String) -> Void
    private let told = Mutex<[Kind: Told]>([:])

    init(_ report: @escaping @Sendable (String) -> Void) { self.report = report }

    /// Tells of `count` more, or keeps the number for the next time.
    func tell(_ kind: Kind, _ count: Int, _ sentence: @escaping @Sendable (Int) -> String) {
        let due = told.withLock { told -> Int? in
            var entry = told[kind] ?? Told(next: .now, sentence: sentence)
            entry.sentence = sentence
            entry.untoldCount += count
            defer { told[kind] = entry }
            guard entry.next <= .now else { return nil }
            defer { (entry.next, entry.untoldCount) = (.now + .seconds(60), 0) }
            return entry.untoldCount
        }
        if let due { report(sentence(due)) }
    }

    /// Tells of what was kept for the next time, since there will be none.
    func tellRest() {
        let rest = told.withLock { told in
            defer { told = told.mapValues { Told(next: $0.next, sentence: $0.sentence) } }
            return told.values.filter { $0.untoldCount > 0 }
        }
        for entry in rest { report(entry.sentence(entry.untoldCount)) }
    }
}
