// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel

/// When in the time of each session of a trace its steps began, and the first and the last of its calls of models.
struct SessionActivity {
    static let bucketCount = 24

    /// By the places of the sessions.
    private var counts: [UInt32]
    /// Rows of the trace; -1 where there is no call.
    private var firstModelRows: [Int]
    private var lastModelRows: [Int]

    init(_ orchestration: Orchestration, _ spans: [AgentSpan]) {
        counts = [UInt32](repeating: 0, count: orchestration.sessions.count * Self.bucketCount)
        firstModelRows = [Int](repeating: -1, count: orchestration.sessions.count)
        lastModelRows = firstModelRows
        for (row, span) in spans.enumerated() where span.kind != nil && !span.isHidden {
            let reference = Orchestration.SpanReference(traceID: span.traceID, spanID: span.spanID)
            guard let place = orchestration.sessionIndexBySpan[reference],
                orchestration.sessions.indices.contains(place)
            else { continue }
            let session = orchestration.sessions[place]
            if span.kind == .llm {
                let (first, last) = (firstModelRows[place], lastModelRows[place])
                if first < 0 || span.startUnixNanos < spans[first].startUnixNanos { firstModelRows[place] = row }
                if last < 0 || span.startUnixNanos >= spans[last].startUnixNanos { lastModelRows[place] = row }
            }
            guard session.spanID != span.spanID else { continue }
            let after = span.startUnixNanos - min(span.startUnixNanos, session.startUnixNanos)
            let share = Double(after) / Double(max(session.durationNanos, 1))
            let bucket = min(Int(min(share, 1) * Double(Self.bucketCount)), Self.bucketCount - 1)
            counts[place * Self.bucketCount + bucket] &+= 1
        }
    }

    /// What was said first to the session at `place`, or the beginning of it, and how often its user spoke, where that is recorded.
    ///
    /// A model is told the whole conversation at each call, so that the last call tells of all turns, and no other has to be read.
    /// What a user says in one go is one turn, in however many parts.
    func talk(of place: Int, in batch: SpanBatch) -> (firstMessage: String, turnCount: Int)? {
        let (first, last) = (firstModelRows[place], lastModelRows[place])
        guard first >= 0 else { return nil }
        let turns = Conversation.read(batch, first)
        guard let opening = turns.first(where: Self.isOfUser) else { return nil }
        let count = Self.turnCount(turns)
        return (
            String(opening.text.prefix(Self.messageLengthMax)),
            last == first ? count : max(count, Self.turnCount(Conversation.read(batch, last)))
        )
    }

    private static func isOfUser(_ turn: Conversation.Turn) -> Bool { turn.role == "user" && turn.kind == .text }

    private static func turnCount(_ turns: [Conversation.Turn]) -> Int {
        turns.indices.count { isOfUser(turns[$0]) && ($0 == 0 || !isOfUser(turns[$0 - 1])) }
    }

    /// In characters: as much as a line shows.
    private static let messageLengthMax = 240

    /// Of the session at `place`; empty where it has no steps.
    func counts(of place: Int) -> [UInt32] {
        let own = counts[place * Self.bucketCount..<(place + 1) * Self.bucketCount]
        return own.contains { $0 > 0 } ? Array(own) : []
    }
}
