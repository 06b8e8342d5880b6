// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Which spans' usage counts, so that each model call counts once (`agents.md` §5.4 "Usage").
struct UsageLedger {
    /// Whether the row's usage counts.
    private(set) var counts: [Bool]
    /// Whether the row is a model call: a model's span that is neither a sum of others nor seen a second time.
    private(set) var isModelCall: [Bool]

    init(_ forest: AgentForest, _ sessions: SessionTable) {
        let mirrors = Self.mirrors(forest)
        counts = [Bool](repeating: false, count: forest.count)
        isModelCall = [Bool](repeating: false, count: forest.count)
        // What stands below a row, and in its session below it.
        var hasModelUsage = [Bool](repeating: false, count: forest.count)
        var hasUsage = [Bool](repeating: false, count: forest.count)
        var hasModel = [Bool](repeating: false, count: forest.count)
        var countedAgents: Set<Int> = []
        for row in forest.order.reversed() {
            let span = forest.spans[row]
            let isModel = span.kind == .llm && !span.isHidden && !mirrors.contains(row)
            isModelCall[row] = isModel && !hasModel[row]
            let reports = !span.isHidden && !span.isUsageSummed && !mirrors.contains(row) && span.usage?.isSome == true
            let parent = forest.parents[row]
            if reports {
                switch span.kind {
                case .llm: counts[row] = !hasModelUsage[row]
                case .embedding: counts[row] = true
                case .agent:
                    counts[row] = !hasModelUsage[row]
                    if counts[row] { countedAgents.insert(sessions.sessionOfRow[row]) }
                default: counts[row] = !hasUsage[row]
                }
            }
            guard parent >= 0 else { continue }
            if hasModelUsage[row] || (isModel && reports) { hasModelUsage[parent] = true }
            if hasUsage[row] || reports { hasUsage[parent] = true }
            let isSameSession = sessions.sessionOfRow[parent] == sessions.sessionOfRow[row]
            if isSameSession, hasModel[row] || isModel, !span.reportsToolCall { hasModel[parent] = true }
        }
        // An agent's own figure holds what its steps say.
        for row in counts.indices where counts[row] && countedAgents.contains(sessions.sessionOfRow[row]) {
            let kind = forest.spans[row].kind
            if kind != .agent && kind != .llm && kind != .embedding { counts[row] = false }
        }
    }

    /// A gateway's view of a call: the same answer of the same model at the same time, in another service.
    private static func mirrors(_ forest: AgentForest) -> Set<Int> {
        struct Answer: Hashable {
            var id: String
            var model: String?
        }
        struct Seen {
            var service: String
            var end: UInt64
            /// The latest end in any other service.
            var otherEnd: UInt64?
        }
        var seen: [Answer: Seen] = [:]
        var mirrors: Set<Int> = []
        for row in forest.spans.indices where forest.spans[row].kind == .llm && !forest.spans[row].isHidden {
            let span = forest.spans[row]
            guard let model = span.model, let id = model.responseID else { continue }
            let answer = Answer(id: id, model: model.answered ?? model.requested)
            guard let last = seen[answer] else {
                seen[answer] = Seen(service: span.serviceName, end: forest.ends[row])
                continue
            }
            let end = last.service == span.serviceName ? last.otherEnd : last.end
            if let end, forest.starts[row] < end || (forest.nanos(of: row) == 0 && forest.starts[row] <= end) {
                mirrors.insert(row)
            } else if last.service == span.serviceName {
                seen[answer]?.end = max(last.end, forest.ends[row])
            } else if forest.ends[row] > last.end {
                seen[answer] = Seen(service: span.serviceName, end: forest.ends[row], otherEnd: last.end)
            } else {
                seen[answer]?.otherEnd = max(last.otherEnd ?? 0, forest.ends[row])
            }
        }
        return mirrors
    }
}

/// A sum of usage. Money is counted in billionths of a dollar, so that the order of adding does not show.
struct UsageSum {
    private var usage = AgentSpan.Usage()
    private var nanoDollars: UInt64?

    mutating func add(_ other: AgentSpan.Usage) {
        usage.inputTokens.addClamped(other.inputTokens)
        usage.outputTokens.addClamped(other.outputTokens)
        usage.cacheReadTokens.addClamped(other.cacheReadTokens)
        usage.cacheWriteTokens.addClamped(other.cacheWriteTokens)
        usage.reasoningTokens.addClamped(other.reasoningTokens)
        guard let usd = other.usd, usd >= 0, usd.isFinite else { return }
        var sum = nanoDollars ?? 0
        sum.addClamped(UInt64(exactly: (usd * 1e9).rounded()) ?? .max)
        nanoDollars = sum
    }

    mutating func add(_ other: UsageSum) {
        add(other.usage)
        guard let more = other.nanoDollars else { return }
        var sum = nanoDollars ?? 0
        sum.addClamped(more)
        nanoDollars = sum
    }

    var total: AgentSpan.Usage {
        var total = usage
        total.usd = nanoDollars.map { Double($0) / 1e9 }
        return total
    }
}

extension AgentSpan.Usage {
    /// Whether anything is said.
    fileprivate var isSome: Bool {
        usd != nil
            || [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens].contains { $0 > 0 }
    }
}

extension UInt64 {
    mutating func addClamped(_ other: UInt64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
