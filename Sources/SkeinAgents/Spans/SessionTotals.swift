// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What a session did, summed up on its own span, for when its steps are not kept (`agents.md` §4.2).
package struct SessionTotals: Hashable, Sendable {
    package var stepCount = 0
    /// Spans with status error, the session's own among them.
    package var errorCount = 0
    package var llmCallCount = 0
    package var toolCallCount = 0
    package var toolErrorCount = 0
    /// Nanoseconds that it waited for others.
    package var waitNanos: UInt64 = 0
    package var usage = AgentSpan.Usage()
    package var timeClasses = Orchestration.TimeClasses()

    package init() {}

    /// The totals of a session of `orchestration`.
    package init(_ session: Orchestration.Session) {
        stepCount = session.stepCount
        errorCount = session.errorCount
        llmCallCount = session.llmCallCount
        toolCallCount = session.toolCallCount
        toolErrorCount = session.toolErrorCount
        waitNanos = session.waitNanos
        usage = session.usage
        timeClasses = session.timeClasses
    }

    /// As they stand on a span; what is zero or not known does not.
    package var attributes: [Attribute] {
        var attributes = [Attribute("worktrace.totals.steps", .int(Int64(clamping: stepCount)))]
        func add(_ name: String, _ count: UInt64) {
            if count > 0 { attributes.append(Attribute("worktrace.totals.\(name)", .int(Int64(clamping: count)))) }
        }
        add("errors", UInt64(clamping: errorCount))
        add("llm_calls", UInt64(clamping: llmCallCount))
        add("tool_calls", UInt64(clamping: toolCallCount))
        add("tool_errors", UInt64(clamping: toolErrorCount))
        add("wait_nanos", waitNanos)
        add("input_tokens", usage.inputTokens)
        add("output_tokens", usage.outputTokens)
        add("cache_read_tokens", usage.cacheReadTokens)
        add("cache_write_tokens", usage.cacheWriteTokens)
        add("reasoning_tokens", usage.reasoningTokens)
        if let usd = usage.usd { attributes.append(Attribute("worktrace.totals.usd", .double(usd))) }
        let times = Orchestration.TimeClass.allCases.compactMap { timeClass in
            timeClasses[timeClass] > 0 ? "\(timeClass.rawValue)=\(timeClasses[timeClass])" : nil
        }
        attributes.append(Attribute("worktrace.totals.nanos", .array(times.map { .string($0) })))
        return attributes
    }

    /// Time classes as they stand on a span.
    static func timeClasses(_ texts: [String]) -> Orchestration.TimeClasses {
        var classes = Orchestration.TimeClasses()
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let timeClass = Orchestration.TimeClass(rawValue: String(parts[0])),
                let nanos = UInt64(parts[1])
            else { continue }
            classes[timeClass] = nanos
        }
        return classes
    }
}

extension SessionTotals {
    /// Adds what came when the session had been summed up: so many steps, and what was counted of them.
    mutating func add(_ late: Orchestration.Session, stepCount count: Int) {
        stepCount += count
        errorCount += late.errorCount
        llmCallCount += late.llmCallCount
        toolCallCount += late.toolCallCount
        toolErrorCount += late.toolErrorCount
        var sum = UsageSum()
        sum.add(usage)
        sum.add(late.usage)
        usage = sum.total
    }
}

extension Orchestration.Session {
    /// Takes over what the session says of itself in the place of what its spans sum up to.
    mutating func take(_ totals: SessionTotals) {
        areStepsKept = false
        spanCount = totals.stepCount + 1
        stepCount = totals.stepCount
        errorCount = totals.errorCount
        llmCallCount = totals.llmCallCount
        toolCallCount = totals.toolCallCount
        toolErrorCount = totals.toolErrorCount
        waitNanos = totals.waitNanos
        usage = totals.usage
        // Classes sum to the duration, whatever a span says.
        if totals.timeClasses.totalNanos == durationNanos { timeClasses = totals.timeClasses }
    }
}
