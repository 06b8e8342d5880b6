// SPDX-License-Identifier: Apache-2.0

extension WorkTrace {
    /// How urgent a task is, the most urgent first.
    public enum Priority: String, Sendable, CaseIterable {
        case critical, high, normal, low, background

        /// Reads a name in any case, or `P0` to `P4` or `0` to `4`, 0 being the most urgent; `nil` for anything else.
        public init?(word: String) {
            guard let priority = SpanMatch.TaskPriority(word) else { return nil }
            self.init(rawValue: priority.rawValue)
        }

        /// A child may raise the priority of its parent, and never lowers it.
        static func effective(_ own: Priority?, inherited: Priority?) -> Priority? {
            guard let own, let inherited else { return own ?? inherited }
            return allCases.first { $0 == own || $0 == inherited }
        }
    }
}
