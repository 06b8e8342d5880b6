// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import SkeinWire

/// What was said in a session. A model is told the whole conversation at each call: here each thing is there once, where it was
/// said first.
struct SessionConversation {
    private(set) var turns: [Turn] = []
    /// Whether content was recorded.
    private(set) var content = Content.absent

    enum Content: String {
        /// It is here.
        case kept
        /// No span carries any.
        case absent
        /// It was sent, and not kept.
        case dropped
        /// It went with the steps, of which a policy kept only totals.
        case reduced
    }

    struct Turn {
        let said: Conversation.Turn
        let spanID: SpanID
        let timeUnixNanos: UInt64

        func write(to json: inout JSONWriter, sessionID: String) {
            json.object { json in
                json.member("spanId", spanID)
                json.member("sessionId", sessionID)
                json.member("timeUnixNano", decimal: timeUnixNanos)
                json.member("role", said.role)
                json.member("kind", said.kind.rawValue)
                json.member("text", said.text)
                json.member("toolName", said.toolName)
                json.member("callId", said.callID)
                json.member("truncated", said.isTruncated)
            }
        }
    }

    /// The conversation of the session at `place` among those of `owners`.
    init(_ place: Int, of owners: SpanOwners, in trace: WorkForest.Trace) {
        var rows = trace.spans.indices.filter { row in
            let span = trace.spans[row]
            let reference = Orchestration.SpanReference(traceID: span.traceID, spanID: span.spanID)
            return owners.place(of: reference) == place
        }
        rows.sort { trace.spans[$0].startUnixNanos < trace.spans[$1].startUnixNanos }
        var spoken = Conversation.Rows(trace.batch)
        let telling = rows.filter { spoken.mayTell($0) }
        addModelCalls(telling.filter { trace.spans[$0].kind == .llm }, of: trace)
        addToolCalls(telling.filter { trace.spans[$0].tool != nil }, of: trace)
        if turns.isEmpty { addModelCalls(telling.filter { trace.spans[$0].kind == .agent }, of: trace) }
        // Pages need one order, whatever the sort does with turns of one time.
        turns = turns.enumerated().sorted { a, b in
            let (first, second) = (a.element.timeUnixNanos, b.element.timeUnixNanos)
            return first != second ? first < second : a.offset < b.offset
        }.map(\.element)
        if !turns.isEmpty {
            content = .kept
        } else if Self.isDropped(rows, of: trace.batch) {
            content = .dropped
        } else if rows.contains(where: { trace.spans[$0].totals != nil }) {
            content = .reduced
        }
    }

    /// Whether any of the spans says that what was said was not kept.
    private static func isDropped(_ rows: [Int], of batch: SpanBatch) -> Bool {
        let key = batch.dictionary.refs(of: [Array("worktrace.content.dropped".utf8)])[0]
        guard key != 0 else { return false }
        return rows.contains { row in
            let pair = batch.attributes.range(of: row).first { batch.attributes.keyRefs[$0] == key }
            return pair.map { batch.dictionary.value(batch.attributes.valueRefs[$0]) } == true
        }
    }

    /// What a page holds at most of JSON, in bytes, apart from its last turn.
    static let byteCountMax = 4 << 20

    /// The first turn that a page behind `cursor` holds.
    func place(after cursor: ListCursor?) -> Int {
        guard let cursor else { return 0 }
        let time = cursor.place.rank
        let first = turns.firstIndex { $0.timeUnixNanos >= time } ?? turns.count
        let end = turns[first...].firstIndex { $0.timeUnixNanos > time } ?? turns.count
        return min(first + cursor.skipCount, end)
    }

    /// What leads to the turn at `place`, which has one before it.
    func cursor(before place: Int) -> ListCursor {
        let time = turns[place - 1].timeUnixNanos
        let first = turns[..<place].lastIndex { $0.timeUnixNanos < time }.map { $0 + 1 } ?? 0
        return ListCursor(place: ListCursor.Place(rank: time, ""), skipCount: place - first)
    }

    /// What each call adds to the one before it.
    private mutating func addModelCalls(_ rows: [Int], of trace: WorkForest.Trace) {
        // How often each thing was told to one call, at most: a call that is about something else tells nothing anew.
        var told: [Conversation.Turn: Int] = [:]
        for row in rows {
            let span = trace.spans[row]
            var counts: [Conversation.Turn: Int] = [:]
            for turn in Conversation.read(trace.batch, row, of: trace.spans[row]) {
                counts[turn, default: 0] += 1
                guard counts[turn, default: 0] > told[turn, default: 0] else { continue }
                told[turn] = counts[turn]
                // What a model says is known when it has said it.
                let isAnswer = turn.role == "assistant"
                turns.append(
                    Turn(
                        said: turn,
                        spanID: span.spanID,
                        timeUnixNanos: isAnswer ? span.endUnixNanos : span.startUnixNanos
                    )
                )
            }
        }
    }

    /// What tools were asked and answered, where no model was told of it.
    private mutating func addToolCalls(_ rows: [Int], of trace: WorkForest.Trace) {
        let known = Set(turns.compactMap(\.said.callID))
        let isTold = !turns.isEmpty
        for row in rows {
            let span = trace.spans[row]
            if let callID = span.tool?.callID, known.contains(callID) { continue }
            if isTold, span.tool?.callID == nil { continue }
            for turn in Conversation.read(trace.batch, row, of: trace.spans[row]) {
                let time = turn.kind == .toolResult ? span.endUnixNanos : span.startUnixNanos
                turns.append(Turn(said: turn, spanID: span.spanID, timeUnixNanos: time))
            }
        }
    }
}
