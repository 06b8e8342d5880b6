// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Remembers what was decided about the traces decided last: at least half of `capacity` of them, never more than all.
struct DecisionCache<Decision> {
    private let halfCapacity: Int
    private var recent: [TraceID: Decision] = [:]
    private var older: [TraceID: Decision] = [:]

    /// Remembers nothing when `capacity` is 0.
    init(capacity: Int) { halfCapacity = (capacity + 1) / 2 }

    subscript(id: TraceID) -> Decision? { recent[id] ?? older[id] }

    /// Remembers a decision, in place of an earlier one about the same trace.
    mutating func insert(_ decision: Decision, for id: TraceID) {
        guard halfCapacity > 0 else { return }
        if recent.count >= halfCapacity, recent[id] == nil {
            // What is asked for again is not renewed: late spans come soon after their trace or not at all.
            swap(&older, &recent)
            recent.removeAll(keepingCapacity: true)
        }
        recent[id] = decision
    }
}
