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

    /// The open ones of `spans` last until `nowUnixNanos`; without it as long as they say.
    package init(_ spans: [AgentSpan], nowUnixNanos: UInt64? = nil) {
        forest = AgentForest(spans, nowUnixNanos: nowUnixNanos)
        table = SessionTable(forest)
    }

    /// The session that a span belongs to; `nil` while no span that opens one is known above it, such as that of an agent that
    /// has not ended.
    package func owner(of span: Orchestration.SpanReference) -> Owner? {
        guard let row = forest.rowByReference[span], table.isBelowOpener[row] else { return nil }
        let entry = table.entries[table.sessionOfRow[row]]
        return Owner(sessionID: entry.sessionID, agent: entry.agent)
    }

    /// The place of a session among those that an ``Orchestration`` of the same spans lists.
    package func place(ofSession id: String) -> Int? { table.entries.firstIndex { $0.sessionID == id } }

    /// The place of the session that a span belongs to, as in ``Orchestration/sessionIndexBySpan``.
    package func place(of span: Orchestration.SpanReference) -> Int? {
        forest.rowByReference[span].map { table.sessionOfRow[$0] }
    }
}
