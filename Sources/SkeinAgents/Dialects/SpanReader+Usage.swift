// SPDX-License-Identifier: Apache-2.0

/// Tokens and money.
extension SpanReader {
    mutating func readUsage(_ span: inout AgentSpan) {
        var input = number(.inputTokens, span)
        var output = number(.outputTokens, span)
        // Sums of other spans are read only where there is nothing of the span's own, so that the two are never mixed.
        let isSum = input == nil && output == nil
        if isSum {
            input = number(.inputTokens, span, isSum: true)
            output = number(.outputTokens, span, isSum: true)
        }
        let read = number(.cacheReadTokens, span, isSum: isSum)
        let write = number(.cacheWriteTokens, span, isSum: isSum)
        let reasoning = number(.reasoningTokens, span, isSum: isSum)
        let usd = dollars(span)
        let isSilent = input == nil && output == nil && read == nil && write == nil && reasoning == nil && usd == nil
        guard !isSilent else { return }
        if case .sum? = (input ?? output)?.reading { span.isUsageSummed = true }
        var usage = AgentSpan.Usage()
        usage.inputTokens = input?.count ?? 0
        usage.outputTokens = output?.count ?? 0
        usage.cacheReadTokens = read?.count ?? 0
        usage.cacheWriteTokens = write?.count ?? 0
        usage.reasoningTokens = reasoning?.count ?? 0
        usage.usd = usd
        let cache = usage.cacheReadTokens.saturatingSum(usage.cacheWriteTokens)
        if leavesCacheOut(input, usage, cache, total: number(.totalTokens, span)?.count, span.model?.provider) {
            usage.inputTokens = usage.inputTokens.saturatingSum(cache)
        }
        span.usage = usage
    }

    private func leavesCacheOut(
        _ input: Number?,
        _ usage: AgentSpan.Usage,
        _ cache: UInt64,
        total: UInt64?,
        _ provider: String?
    ) -> Bool {
        // More cached than all there is: whatever the convention says, this client counts otherwise.
        if cache > usage.inputTokens { return true }
        switch input?.reading {
        case .countWithoutCache: return total != usage.inputTokens.saturatingSum(usage.outputTokens)
        case .countByProvider: return provider.map(Self.leavesCacheOut) ?? false
        default: return false
        }
    }

    /// Whether a provider's own count of input tokens leaves those of the cache out: Anthropic's API does, also when another
    /// cloud serves it.
    static func leavesCacheOut(_ provider: String) -> Bool {
        let provider = provider.lowercased()
        return ["anthropic", "bedrock"].contains { provider.contains($0) }
    }
}

extension UInt64 {
    /// The sum, at most `UInt64.max`.
    func saturatingSum(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
