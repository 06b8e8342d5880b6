// SPDX-License-Identifier: Apache-2.0
package import SkeinAgents
import SkeinModel

/// A root session with all that it started, when none of it goes on: what is decided about.
package struct SessionForest: Sendable {
    package var rootSessionID: String
    /// The greatest rate of its sessions, 0 to 1; of one that was raised the whole is kept as often.
    package var rate: Double
    /// The rule of it.
    package var rule: String?
    package var sessions: [Member]
    /// What its steps come to.
    package var orchestration: Orchestration

    package struct Member: Sendable {
        package var sessionID: String
        package var agent: String
        /// Label `task.type` or `type`; empty for none.
        package var taskType: String
        package var outcome: String
        package var durationNanos: UInt64
        /// US dollars; `nil` when not known.
        package var usd: Double?
        /// US dollars; `nil` without one.
        package var budgetUSD: Double?
        /// Why somebody asked to keep it; `nil` when nobody did.
        package var pinnedFor: String?
        package var hasBadFeedback: Bool
    }
}

extension WorkSession {
    /// What is looked at of a session with these steps that cost `usd`.
    func member(usd: Double?, steps: [WorkStep]) -> SessionForest.Member {
        let labels = fields.map("labels")
        func label(_ key: String) -> String? {
            labels.first { $0.key == key }.flatMap { if case .string(let text) = $0.value { text } else { nil } }
        }
        return SessionForest.Member(
            sessionID: id,
            agent: agentName ?? "",
            taskType: label("task.type") ?? label("type") ?? "",
            outcome: outcome ?? WorkOutcome.abandoned,
            durationNanos: (endUnixNanos ?? startUnixNanos) - min(startUnixNanos, endUnixNanos ?? startUnixNanos),
            usd: usd,
            budgetUSD: fields.fields("budget").number("usd"),
            pinnedFor: pinnedFor,
            hasBadFeedback: events.contains(where: Self.isBadFeedback)
                || steps.contains { $0.fields.list("events").contains(where: Self.isBadFeedback) }
        )
    }

    /// An event `feedback` or `gen_ai.evaluation.result` with a score below 0, or a label that says so.
    static func isBadFeedback(_ event: AttributeValue) -> Bool {
        guard case .map(let pairs) = event else { return false }
        let fields = WorkFields(pairs)
        guard ["feedback", "gen_ai.evaluation.result"].contains(fields.text("name") ?? "") else { return false }
        return fields.map("attributes").contains { attribute in
            switch (attribute.key, attribute.value) {
            case ("score", .int(let score)), ("gen_ai.evaluation.score.value", .int(let score)): score < 0
            case ("score", .double(let score)), ("gen_ai.evaluation.score.value", .double(let score)): score < 0
            case ("label", .string(let label)), ("gen_ai.evaluation.score.label", .string(let label)):
                ["negative", "bad", "down", "thumbs_down", "fail"].contains(label.lowercased())
            default: false
            }
        }
    }
}
