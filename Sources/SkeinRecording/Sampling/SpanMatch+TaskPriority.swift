// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import Tracing

extension SpanMatch {
    /// How much a task of agents matters, in the attribute or the baggage member `worktrace.task.priority`.
    public enum TaskPriority: String, Hashable, Comparable, CaseIterable, Sendable {
        /// What matters less comes first.
        case background, low, normal, high, critical

        package static let key = "worktrace.task.priority"

        /// Reads a name in any case, or a number from 0, the most critical, to 4, also with a `P` before it; `nil` for anything
        /// else.
        public init?(_ text: String) {
            switch text.lowercased() {
            case "critical", "p0", "0": self = .critical
            case "high", "p1", "1": self = .high
            case "normal", "p2", "2": self = .normal
            case "low", "p3", "3": self = .low
            case "background", "p4", "4": self = .background
            default: return nil
            }
        }

        public static func < (one: TaskPriority, other: TaskPriority) -> Bool { one.rank < other.rank }

        private var rank: Int {
            switch self {
            case .background: 0
            case .low: 1
            case .normal: 2
            case .high: 3
            case .critical: 4
            }
        }
    }
}

extension SamplingRequest {
    /// The priority of the task that the span belongs to: a span may raise what the baggage says, never lower it. `nil` when
    /// neither says.
    public var taskPriority: SpanMatch.TaskPriority? {
        let key = SpanMatch.TaskPriority.key
        let own = attributes.get(key).map(RecordedValue.init)?.text.flatMap { SpanMatch.TaskPriority($0) }
        let inherited = context.baggage[key].flatMap { SpanMatch.TaskPriority($0) }
        guard let own, let inherited else { return own ?? inherited }
        return max(own, inherited)
    }
}
