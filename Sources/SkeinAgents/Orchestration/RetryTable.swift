// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Which calls are attempts at one operation (`agents-api.md` §3.6).
struct RetryTable {
    private(set) var retries: [Chain] = []
    /// For each tool call the attempt before it, and its number; an attempt without one is the first.
    private(set) var previous: [Int: (call: Int, attempt: Int)] = [:]
    /// Between a failed attempt and the next.
    private(set) var pauses: [Pause] = []

    struct Chain {
        var session: Int
        var kind: Orchestration.Retry.Kind
        var name: String
        var rows: [Int]
        var succeeded: Bool
    }

    struct Pause {
        var session: Int
        var start: UInt64
        var end: UInt64
    }

    /// A call as far as retries care.
    fileprivate struct Attempt {
        /// A tool call's place, or -1.
        var call: Int
        var row: Int
        /// Of the tool or the model.
        var name: String
        var hasFailed: Bool
        var hasSucceeded: Bool
        var arguments: UInt64?
        var isMarked: Bool
        var stepID: String?
        var retryOf: String?
    }

    private struct Operation: Hashable {
        var session: Int
        var kind: Orchestration.Retry.Kind
    }

    /// What was seen of one tool or model.
    private struct Named {
        /// Failed ones that nobody has tried again, oldest first.
        var failed: [Int] = []
        var last: Int?
    }

    init(_ forest: AgentForest, _ sessions: SessionTable, _ calls: ToolCallTable, _ usage: UsageLedger) {
        var attempts: [Operation: [Attempt]] = [:]
        for place in calls.calls.indices {
            let call = calls.calls[place]
            let outcome = calls.outcomes[place]
            let hasFailed = Orchestration.ToolCall.isError(outcome)
            let arguments = call.rows.lazy.compactMap { forest.spans[$0].tool?.argumentsHash }.first
            attempts[Operation(session: call.session, kind: .tool), default: []].append(
                Attempt(place, call.row, call.name, hasFailed, outcome == "success", arguments, forest.spans[call.row])
            )
        }
        for row in forest.spans.indices where usage.isModelCall[row] {
            let span = forest.spans[row]
            let hasFailed = span.statusCode == .error
            let name = span.model?.requested ?? span.model?.answered ?? span.name
            attempts[Operation(session: sessions.sessionOfRow[row], kind: .llm), default: []]
                .append(Attempt(-1, row, name, hasFailed && !span.isOpen, !hasFailed && !span.isOpen, nil, span))
        }
        var found: [Chain] = []
        for (operation, attempts) in attempts where attempts.count > 1 {
            found.append(contentsOf: chains(operation, attempts, forest))
        }
        retries = found.sorted { $0.rows[0] < $1.rows[0] }
        pauses.sort { ($0.session, $0.start, $0.end) < ($1.session, $1.start, $1.end) }
    }

    /// The calls of tools or of models of one session, in order of start, put together: those of one name, and of several where
    /// the client says so, as when another model is asked instead.
    private mutating func chains(_ operation: Operation, _ attempts: [Attempt], _ forest: AgentForest) -> [Chain] {
        var before = [Int](repeating: -1, count: attempts.count)
        var isFollowed = [Bool](repeating: false, count: attempts.count)
        var steps: [String: Int] = [:]
        var named: [String: Named] = [:]
        // Failed calls of models that nobody has tried again, oldest first.
        var failedModels: [Int] = []
        for (place, attempt) in attempts.enumerated() {
            func isOver(_ other: Int) -> Bool {
                !isFollowed[other] && forest.ends[attempts[other].row] <= forest.starts[attempt.row]
            }
            var own = named.removeValue(forKey: attempt.name) ?? Named()
            var first: Int?
            if let step = attempt.retryOf.flatMap({ steps[$0] }), !isFollowed[step] {
                first = step
            } else {
                // Only the oldest few are compared, so that a thousand failures at once cost no million comparisons.
                let ended = own.failed.prefix(16).filter(isOver)
                first = ended.first { attempts[$0].arguments == attempt.arguments } ?? ended.first
                if first == nil, attempt.isMarked {
                    first = own.last.flatMap { isOver($0) ? $0 : nil } ?? failedModels.last(where: isOver)
                }
            }
            if let first {
                before[place] = first
                isFollowed[first] = true
                own.failed.removeAll { $0 == first }
                named[attempts[first].name]?.failed.removeAll { $0 == first }
                failedModels.removeAll { $0 == first }
                let end = forest.ends[attempts[first].row]
                if end < forest.starts[attempt.row] {
                    pauses.append(Pause(session: operation.session, start: end, end: forest.starts[attempt.row]))
                }
            }
            if attempt.hasFailed {
                own.failed.append(place)
                if own.failed.count > 64 { own.failed.removeFirst(own.failed.count - 64) }
                if operation.kind == .llm { failedModels.append(place) }
                if failedModels.count > 64 { failedModels.removeFirst(failedModels.count - 64) }
            }
            if let step = attempt.stepID { steps[step] = place }
            own.last = place
            named[attempt.name] = own
        }
        return collect(operation, attempts, before, isFollowed)
    }

    private mutating func collect(
        _ operation: Operation,
        _ attempts: [Attempt],
        _ before: [Int],
        _ isFollowed: [Bool]
    ) -> [Chain] {
        var chains: [Chain] = []
        var number = [Int](repeating: 1, count: attempts.count)
        for place in attempts.indices where before[place] >= 0 {
            number[place] = number[before[place]] + 1
            let call = attempts[place].call
            if call >= 0 { previous[call] = (attempts[before[place]].call, number[place]) }
        }
        for last in attempts.indices where before[last] >= 0 && !isFollowed[last] {
            var rows: [Int] = []
            var place = last
            while place >= 0 {
                rows.append(attempts[place].row)
                place = before[place]
            }
            chains.append(
                Chain(
                    session: operation.session,
                    kind: operation.kind,
                    name: attempts[last].name,
                    rows: rows.reversed(),
                    succeeded: attempts[last].hasSucceeded
                )
            )
        }
        return chains
    }
}

extension RetryTable.Attempt {
    fileprivate init(
        _ call: Int,
        _ row: Int,
        _ name: String,
        _ hasFailed: Bool,
        _ hasSucceeded: Bool,
        _ arguments: UInt64?,
        _ span: AgentSpan
    ) {
        self.init(
            call: call,
            row: row,
            name: name,
            hasFailed: hasFailed,
            hasSucceeded: hasSucceeded,
            arguments: arguments,
            isMarked: (span.attempt ?? 1) > 1,
            stepID: span.work?.stepID,
            retryOf: span.work?.retryOf
        )
    }
}
