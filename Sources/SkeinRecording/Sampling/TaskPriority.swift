// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import Tracing

/// How much a task of agents matters, in the attribute or the baggage member `worktrace.task.priority`.
public enum TaskPriority: Int, Hashable, Comparable, CaseIterable, Sendable, CustomStringConvertible {
    case critical, high, normal, low, background

    package static let key = "worktrace.task.priority"

    /// Reads a name in any case, or a number from 0, the most critical, to 4, also with a `P` before it; `nil` for anything else.
    public init?(_ text: String) {
        let text = text.lowercased()
        let number = text.hasPrefix("p") ? text.dropFirst() : text[...]
        guard let priority = Self.allCases.first(where: { "\($0)" == text || "\($0.rawValue)" == number }) else {
            return nil
        }
        self = priority
    }

    public var description: String {
        switch self {
        case .critical: "critical"
        case .high: "high"
        case .normal: "normal"
        case .low: "low"
        case .background: "background"
        }
    }

    /// What matters less comes first.
    public static func < (one: TaskPriority, other: TaskPriority) -> Bool { one.rawValue > other.rawValue }
}

extension SamplingRequest {
    /// The priority of the task that the span belongs to: a span may raise what the baggage says, never lower it. `nil` when
    /// neither says.
    public var taskPriority: TaskPriority? {
        let own: TaskPriority? =
            switch attributes.get(TaskPriority.key).map(RecordedValue.init) {
            case .string(let text): TaskPriority(text)
            case .int(let number): TaskPriority("\(number)")
            default: nil
            }
        let inherited = context.baggage[TaskPriority.key].flatMap { TaskPriority($0) }
        return [own, inherited].compactMap(\.self).max()
    }
}
