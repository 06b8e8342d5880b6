// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Whose work the spans of a trace are, while some of them may still be missing.
package struct SpanOwners {
    /// A session that a span belongs to.
    package struct Owner: Sendable {
        package var sessionID: String
        package var agent: AgentSpan.Agent
    }

    private let forest: AgentForest
    private let table: SessionTable

    package init(_ spans: [AgentSpan]) {
        forest = AgentForest(spans, nowUnixNanos: nil)
        table = SessionTable(forest)
    }

    /// The session that a span belongs to; `nil` while no span that opens one is known above it, such as that of an agent that
    /// has not ended.
    package func owner(of span: Orchestration.SpanReference) -> Owner? {
        guard let row = forest.rowByReference[span], table.isBelowOpener[row] else { return nil }
        let entry = table.entries[table.sessionOfRow[row]]
        return Owner(sessionID: entry.sessionID, agent: entry.agent)
    }
}
