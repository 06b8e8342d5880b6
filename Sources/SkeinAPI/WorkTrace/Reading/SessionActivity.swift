// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel

/// When in the time of each session of a trace its steps began, and the first of its calls of models.
struct SessionActivity {
    static let bucketCount = 24

    /// By the places of the sessions.
    private var counts: [UInt32]
    /// Rows of the trace; -1 where there is no call.
    private var modelRows: [Int]

    init(_ orchestration: Orchestration, _ spans: [AgentSpan]) {
        counts = [UInt32](repeating: 0, count: orchestration.sessions.count * Self.bucketCount)
        modelRows = [Int](repeating: -1, count: orchestration.sessions.count)
        for (row, span) in spans.enumerated() where span.kind != nil && !span.isHidden {
            let reference = Orchestration.SpanReference(traceID: span.traceID, spanID: span.spanID)
            guard let place = orchestration.sessionIndexBySpan[reference],
                orchestration.sessions.indices.contains(place)
            else { continue }
            let session = orchestration.sessions[place]
            let first = modelRows[place]
            if span.kind == .llm, first < 0 || span.startUnixNanos < spans[first].startUnixNanos {
                modelRows[place] = row
            }
            guard session.spanID != span.spanID else { continue }
            let after = span.startUnixNanos - min(span.startUnixNanos, session.startUnixNanos)
            let share = Double(after) / Double(max(session.durationNanos, 1))
            let bucket = min(Int(min(share, 1) * Double(Self.bucketCount)), Self.bucketCount - 1)
            counts[place * Self.bucketCount + bucket] &+= 1
        }
    }

    /// What was said first to the session at `place`, where that is recorded.
    func firstMessage(of place: Int, in batch: SpanBatch) -> String? {
        guard modelRows[place] >= 0 else { return nil }
        let turns = Conversation.read(batch, modelRows[place])
        guard let first = turns.first(where: { $0.role == "user" && $0.kind == .text }) else { return nil }
        return String(first.text.prefix(Self.messageLengthMax))
    }

    /// In characters: as much as a line shows.
    private static let messageLengthMax = 240

    /// Of the session at `place`; empty where it has no steps.
    func counts(of place: Int) -> [UInt32] {
        let own = counts[place * Self.bucketCount..<(place + 1) * Self.bucketCount]
        return own.contains { $0 > 0 } ? Array(own) : []
    }
}
