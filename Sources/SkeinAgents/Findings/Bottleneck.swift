// SPDX-License-Identifier: Apache-2.0

/// Where the time of an orchestration goes, in one sentence.
package struct Bottleneck: Sendable {
    package var text: String
    package var sessionID: String
    package var timeClass: Orchestration.TimeClass
    package var durationNanos: UInt64
    /// Of the orchestration's duration, 0…1.
    package var share: Double
}

extension Orchestration {
    /// The bottlenecks, greatest first. Times are those on the critical path, so that what runs beside it does not
    /// count; only repeated calls count whole. What is below one hundredth of the duration is left out.
    package func bottlenecks(limit: Int = 20) -> [Bottleneck] {
        let finder = BottleneckFinder(self)
        let found = finder.gaps + finder.tools + finder.models + finder.silences + finder.waits + finder.repeats
        return
            Array(
                found.filter { $0.durationNanos > 0 && $0.share >= 0.01 }
                    .sorted { a, b in
                        if a.durationNanos != b.durationNanos { return a.durationNanos > b.durationNanos }
                        return (a.text, a.sessionID) < (b.text, b.sessionID)
                    }
                    .prefix(max(limit, 0))
            )
    }
}

/// Finds sentences of each kind.
private struct BottleneckFinder {
    let orchestration: Orchestration
    private var nameOfSession: [String: String] = [:]
    private let hasManyAgents: Bool

    init(_ orchestration: Orchestration) {
        self.orchestration = orchestration
        for session in orchestration.sessions { nameOfSession[session.sessionID] = Self.shown(session.agentName) }
        hasManyAgents = Set(nameOfSession.values).count > 1
    }

    /// A name as it stands in a sentence.
    private static func shown(_ name: String) -> String {
        guard let end = name.index(name.startIndex, offsetBy: nameLengthMax, limitedBy: name.endIndex),
            end < name.endIndex
        else { return name }
        return "\(name[..<end])… (of \(name.utf8.count) bytes)"
    }

    /// In characters.
    private static let nameLengthMax = 120

    /// ` of ` an agent, where there are several.
    private func whose(_ agent: String) -> String { hasManyAgents ? " of \(agent)" : "" }

    /// What sentences come to that would say the same.
    private struct Sum {
        var nanos: UInt64 = 0
        var count = 0
        /// The one with most of it.
        var sessionID = ""
        private var most: UInt64 = 0

        mutating func add(_ nanos: UInt64, of sessionID: String, count: Int = 1) {
            self.nanos &+= nanos
            self.count += count
            guard self.sessionID.isEmpty || nanos > most else { return }
            (self.sessionID, most) = (sessionID, nanos)
        }
    }

    private func bottleneck(
        _ text: String,
        _ sessionID: String,
        _ timeClass: Orchestration.TimeClass,
        _ nanos: UInt64
    ) -> Bottleneck {
        let share = min(Double(nanos) / Double(max(orchestration.durationNanos, 1)), 1)
        return Bottleneck(
            text: text,
            sessionID: sessionID,
            timeClass: timeClass,
            durationNanos: nanos,
            share: share
        )
    }

    private func percent(_ nanos: UInt64) -> String {
        "\(Int((min(Double(nanos) / Double(max(orchestration.durationNanos, 1)), 1) * 100).rounded())) %"
    }

    private func ofAll(_ nanos: UInt64) -> String {
        "\(nanos.durationText) of \(orchestration.durationNanos.durationText) (\(percent(nanos)))"
    }

    // MARK: Handoffs and returns

    /// Time between a step and the session that it starts, and between that one's end and the step's.
    var gaps: [Bottleneck] {
        struct Pair: Hashable {
            var from: String
            var to: String
            var isReturn: Bool
        }
        var edges: [String: [Orchestration.Edge]] = [:]
        for edge in orchestration.edges where edge.kind == .delegate || edge.kind == .handoff {
            edges[edge.fromSessionID, default: []].append(edge)
        }
        for key in Array(edges.keys) { edges[key]?.sort { $0.startUnixNanos < $1.startUnixNanos } }
        var sums: [Pair: (nanos: UInt64, sessionID: String, isProcess: Bool)] = [:]
        for segment in orchestration.criticalPath {
            guard segment.timeClass == .handoffGap || segment.timeClass == .returnGap,
                let edge = edges[segment.sessionID]?.last(near: segment)
            else { continue }
            let pair = Pair(
                from: nameOfSession[edge.fromSessionID] ?? "",
                to: nameOfSession[edge.toSessionID] ?? "",
                isReturn: segment.timeClass == .returnGap
            )
            let sum = sums[pair]
            sums[pair] = (
                (sum?.nanos ?? 0) &+ segment.durationNanos, sum?.sessionID ?? edge.toSessionID,
                sum?.isProcess ?? false || edge.isProcessBoundary
            )
        }
        return sums.map { pair, sum in
            guard !pair.isReturn else {
                let text = "return \(pair.to) → \(pair.from): \(ofAll(sum.nanos)) after \(pair.to) ended"
                return bottleneck(text, sum.sessionID, .returnGap, sum.nanos)
            }
            let reason = sum.isProcess ? "waiting for process start" : "until \(pair.to) started"
            return bottleneck(
                "handoff \(pair.from) → \(pair.to): \(ofAll(sum.nanos)) \(reason)",
                sum.sessionID,
                .handoffGap,
                sum.nanos
            )
        }
    }

    // MARK: Tools and models

    var tools: [Bottleneck] {
        var durations: [String: [UInt64]] = [:]
        for call in orchestration.toolCalls { durations[call.toolName, default: []].append(call.durationNanos) }
        var nanos: [String: UInt64] = [:]
        var sessionOfTool: [String: String] = [:]
        for segment in orchestration.criticalPath where segment.timeClass == .tool {
            guard let name = segment.toolName else { continue }
            nanos[name, default: 0] &+= segment.durationNanos
            if sessionOfTool[name] == nil { sessionOfTool[name] = segment.sessionID }
        }
        let parallel = callsInRows
        return nanos.map { name, sum in
            let all = (durations[name] ?? []).sorted()
            let calls = all.count == 1 ? "1 call" : "\(all.count) calls"
            let p95 = (all.percentile(95) ?? sum).durationText
            var text = "`\(Self.shown(name))` is \(percent(sum)) of the session (\(calls), p95 \(p95))"
            if let count = parallel[name] { text += "; \(count) could run in parallel" }
            return bottleneck(text, sessionOfTool[name] ?? "", .tool, sum)
        }
    }

    /// For each tool how many of its calls ran one after the other with no model asked between.
    private var callsInRows: [String: Int] {
        struct Run {
            var name: String
            var calls: [SpanReference]
        }
        var runs: [String: Run] = [:]
        var counts: [String: Int] = [:]
        func close(_ sessionID: String) {
            if let run = runs.removeValue(forKey: sessionID), run.calls.count > 1 {
                counts[run.name, default: 0] += run.calls.count
            }
        }
        for segment in orchestration.criticalPath {
            if let name = segment.toolName, let spanID = segment.toolSpanID, segment.timeClass == .tool {
                let call = SpanReference(traceID: segment.traceID, spanID: spanID)
                if runs[segment.sessionID]?.name != name {
                    close(segment.sessionID)
                    runs[segment.sessionID] = Run(name: name, calls: [call])
                } else if runs[segment.sessionID]?.calls.last != call {
                    runs[segment.sessionID]?.calls.append(call)
                }
            } else if segment.timeClass != .own {
                close(segment.sessionID)
            }
        }
        for sessionID in Array(runs.keys) { close(sessionID) }
        return counts
    }

    private typealias SpanReference = Orchestration.SpanReference

    var models: [Bottleneck] {
        var nanos: [String: UInt64] = [:]
        for segment in orchestration.criticalPath where segment.timeClass == .llm {
            nanos[segment.sessionID, default: 0] &+= segment.durationNanos
        }
        var sums: [String: Sum] = [:]
        for session in orchestration.sessions {
            guard let own = nanos[session.sessionID] else { continue }
            sums[nameOfSession[session.sessionID] ?? "", default: Sum()]
                .add(own, of: session.sessionID, count: session.llmCallCount)
        }
        return sums.map { name, sum in
            let calls = sum.count == 1 ? "1 call" : "\(sum.count) calls"
            return bottleneck(
                "models of \(name) are \(percent(sum.nanos)) of the time (\(calls))",
                sum.sessionID,
                .llm,
                sum.nanos
            )
        }
    }

    // MARK: Waits and silence

    /// Time of a session's own in which no span says what it does.
    var silences: [Bottleneck] {
        var found: [String: Sum] = [:]
        var turns: [String: Int] = [:]
        var lastTurn: [String: SpanReference] = [:]
        let ownSpan = Dictionary(
            orchestration.sessions.map { ($0.sessionID, SpanReference(traceID: $0.traceID, spanID: $0.spanID)) },
            uniquingKeysWith: { first, _ in first }
        )
        let sessions = orchestration.sessionsByID
        for segment in orchestration.criticalPath {
            let span = SpanReference(traceID: segment.traceID, spanID: segment.spanID)
            if segment.timeClass == .llm, lastTurn[segment.sessionID] != span {
                turns[segment.sessionID, default: 0] += 1
                lastTurn[segment.sessionID] = span
            }
            guard segment.timeClass == .own, ownSpan[segment.sessionID] == span,
                let session = sessions[segment.sessionID], session.areStepsKept
            else { continue }
            let turn = turns[segment.sessionID] ?? 0
            let total = session.llmCallCount
            let name = nameOfSession[segment.sessionID] ?? ""
            let place =
                total == 0
                ? "of \(name)"
                : turn == 0
                    ? "before the first turn of \(name)"
                    : turn >= total
                        ? "after the last turn of \(name)"
                        : "between turn \(turn) and \(turn + 1) of \(name)"
            found[place, default: Sum()].add(segment.durationNanos, of: segment.sessionID)
        }
        return found.map { place, sum in
            let times = sum.count == 1 ? "" : " (\(sum.count) times)"
            return bottleneck(
                "\(sum.nanos.durationText) \(place) has no span\(times)",
                sum.sessionID,
                .own,
                sum.nanos
            )
        }
    }

    var waits: [Bottleneck] {
        struct Key: Hashable {
            var name: String
            var timeClass: Orchestration.TimeClass
        }
        var sums: [Key: Sum] = [:]
        for segment in orchestration.criticalPath {
            switch segment.timeClass {
            case .humanWait, .messageWait, .childAgent:
                let key = Key(name: nameOfSession[segment.sessionID] ?? "", timeClass: segment.timeClass)
                sums[key, default: Sum()].add(segment.durationNanos, of: segment.sessionID)
            default: continue
            }
        }
        return sums.map { key, sum in
            let whom =
                key.timeClass == .humanWait
                ? "a person" : key.timeClass == .childAgent ? "a session" : "a message or lock"
            let text = "\(key.name) waits for \(whom): \(ofAll(sum.nanos))"
            return bottleneck(text, sum.sessionID, key.timeClass, sum.nanos)
        }
    }

    // MARK: Repeats

    var repeats: [Bottleneck] { loops + retries }

    private var loops: [Bottleneck] {
        struct Key: Hashable {
            var agent: String
            var kind: Orchestration.Loop.Kind
            var pattern: [String]
        }
        var sums: [Key: (sum: Sum, loopCount: Int)] = [:]
        for loop in orchestration.loops {
            let key = Key(agent: nameOfSession[loop.sessionID] ?? "", kind: loop.kind, pattern: loop.pattern)
            sums[key, default: (Sum(), 0)].sum.add(loop.durationNanos, of: loop.sessionID, count: loop.count)
            sums[key]?.loopCount += 1
        }
        return sums.map { key, found in
            let (sum, loopCount) = found
            let pattern = key.pattern.map { "`\(Self.shown($0))`" }.joined(separator: " → ") + whose(key.agent)
            let what = key.kind == .identical ? "same arguments sent \(sum.count) times" : "repeated \(sum.count) times"
            let loops = loopCount == 1 ? "" : " in \(loopCount) loops,"
            return bottleneck(
                "\(pattern): \(what)\(loops) in \(sum.nanos.durationText)",
                sum.sessionID,
                key.kind == .graph ? .own : .tool,
                sum.nanos
            )
        }
    }

    private var retries: [Bottleneck] {
        struct Key: Hashable {
            var agent: String
            var kind: Orchestration.Retry.Kind
            var name: String
            var succeeded: Bool
        }
        var sums: [Key: (sum: Sum, callCount: Int)] = [:]
        for retry in orchestration.retries {
            let agent = nameOfSession[retry.sessionID] ?? ""
            let key = Key(agent: agent, kind: retry.kind, name: retry.name, succeeded: retry.succeeded)
            sums[key, default: (Sum(), 0)].sum.add(retry.wastedNanos, of: retry.sessionID, count: retry.attempts)
            sums[key]?.callCount += 1
        }
        return sums.map { key, found in
            let (sum, callCount) = found
            let end = key.succeeded ? callCount == 1 ? "until it worked" : "until each worked" : "in vain"
            let calls = callCount == 1 ? "" : " for \(callCount) calls"
            let text =
                "`\(Self.shown(key.name))`\(whose(key.agent)) tried \(sum.count) times\(calls) \(end): "
                + "\(ofAll(sum.nanos)) before the last\(callCount == 1 ? "" : " of each")"
            return bottleneck(text, sum.sessionID, .retry, sum.nanos)
        }
    }
}

extension [Orchestration.Edge] {
    /// The latest edge whose step was open at the time of `segment`, of those near.
    fileprivate func last(near segment: Orchestration.PathSegment) -> Orchestration.Edge? {
        let end = firstPlace { $0.startUnixNanos > segment.startUnixNanos }
        let isReturn = segment.timeClass == .returnGap
        let near = self[Swift.max(0, end - 16)..<end].reversed()
        return near.first { edge in
            let since = segment.startUnixNanos - edge.startUnixNanos
            return isReturn
                ? since >= edge.handoffGapNanos &+ edge.childNanos && edge.returnGapNanos != nil
                : since < edge.handoffGapNanos
        } ?? near.first
    }
}
