// SPDX-License-Identifier: Apache-2.0

/// Two orchestrations side by side, as `GET /api/worktrace/v1/sessions/{a}/compare/{b}` answers them. Nanoseconds are decimal
/// numbers.
struct OrchestrationComparisonAnswer: Decodable {
    var isCut: Pair<Bool>
    var durationNanos: Pair<String>
    var errorCount: Pair<Int>
    var usage: Pair<OrchestrationAnswer.Usage>
    var firstDivergence: Divergence?
    var sessions: [Difference]
    var tools: [Difference]
    var timeClasses: [Difference]

    struct Pair<Value: Decodable>: Decodable {
        var a: Value
        var b: Value
    }

    struct Step: Decodable {
        var signature: String
        var durationNanos: String
        var outcome: String?
    }

    /// The first step that is not the same.
    struct Divergence: Decodable {
        /// How many steps both have in common before it.
        var index: Int
        /// `nil` where this side has no such step.
        var a: Step?
        var b: Step?
    }

    struct Difference: Decodable {
        var name: String
        var count: Pair<Int>
        var durationNanos: Pair<String>
        var errorCount: Pair<Int>
        var usd: Pair<Double?>
    }
}
