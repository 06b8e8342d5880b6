// SPDX-License-Identifier: Apache-2.0

/// Tool calls of many orchestrations in groups (`agents-api.md` §5, `GET tools`).
///
/// Percentiles are exact: of each call the table keeps its duration and start, 16 bytes.
package struct ToolTable: Sendable {
    private let dimensions: Set<Dimension>
    private var groups: [Key: Group] = [:]

    /// By what calls are told apart.
    package enum Dimension: String, Sendable, CaseIterable {
        case tool, server, layer, agent
    }

    private struct Key: Hashable {
        var tool: String?
        var server: String?
        var layer: AgentSpan.ToolLayer?
        var agent: String?

        /// One order for rows with as many calls.
        var sortKey: (String, String, Int, String) { (tool ?? "", server ?? "", layer?.index ?? -1, agent ?? "") }
    }

    private struct Group {
        var starts: [UInt64] = []
        /// Of the calls that have ended.
        var durations: [UInt64] = []
        var errorCount = 0
        var cancelledCount = 0
        var retryCount = 0
        var resultBytes: UInt64?
    }

    /// One group. A dimension that was not asked for is `nil`.
    package struct Row: Sendable {
        package var toolName: String?
        package var server: String?
        package var layer: AgentSpan.ToolLayer?
        package var agentName: String?
        package var callCount: Int
        package var errorCount: Int
        package var cancelledCount: Int
        /// Calls that are another attempt.
        package var retryCount: Int
        /// 0…1.
        package var errorRate: Double
        /// Of the calls that say so; `nil` where none does.
        package var resultBytes: UInt64?
        /// Calls by start, in spans of time of one length.
        package var sparkline: [Int]
        /// `nil` while no call has ended.
        package var durationNanos: Durations?
    }

    /// A percentile is the smallest duration with at least that share at or below it.
    package struct Durations: Hashable, Sendable {
        package var p50: UInt64
        package var p90: UInt64
        package var p95: UInt64
        package var p99: UInt64
        package var max: UInt64
        package var total: UInt64

        /// `nil` without durations.
        fileprivate init?(_ durations: [UInt64]) {
            let sorted = durations.sorted()
            guard let p50 = sorted.percentile(50), let p90 = sorted.percentile(90), let p95 = sorted.percentile(95),
                let p99 = sorted.percentile(99), let max = sorted.last
            else { return nil }
            (self.p50, self.p90, self.p95, self.p99, self.max) = (p50, p90, p95, p99, max)
            total = 0
            for duration in sorted { total.addClamped(duration) }
        }
    }

    package init(groupBy dimensions: Set<Dimension> = [.tool]) { self.dimensions = dimensions }

    /// Counts a call: once, or by layers once for each of its layers, with that layer's own time.
    package mutating func add(_ call: Orchestration.ToolCall) {
        var key = Key()
        if dimensions.contains(.tool) { key.tool = call.toolName }
        if dimensions.contains(.server) { key.server = call.server }
        if dimensions.contains(.agent) { key.agent = call.agentName }
        guard dimensions.contains(.layer) else { return add(call, key, call.durationNanos) }
        for layer in call.layers {
            key.layer = layer.layer
            add(call, key, layer.selfNanos)
        }
    }

    private mutating func add(_ call: Orchestration.ToolCall, _ key: Key, _ nanos: UInt64) {
        var group = groups.removeValue(forKey: key) ?? Group()
        group.starts.append(call.startUnixNanos)
        if call.outcome != nil { group.durations.append(nanos) }
        if call.isError { group.errorCount += 1 }
        if call.outcome == "cancelled" { group.cancelledCount += 1 }
        if call.retryOf != nil { group.retryCount += 1 }
        if let bytes = call.resultBytes {
            var sum = group.resultBytes ?? 0
            sum.addClamped(bytes)
            group.resultBytes = sum
        }
        groups[key] = group
    }

    /// The rows, most calls first.
    ///
    /// - Parameters:
    ///   - range: the time of the sparklines, nanoseconds since 1970; by default that of all calls.
    ///   - bucketCount: into how many parts it is cut, 1…1000.
    package func rows(over range: Range<UInt64>? = nil, bucketCount: Int = 24) -> [Row] {
        let starts = groups.values.lazy.flatMap(\.starts)
        let first = starts.min() ?? 0
        let last = starts.max() ?? 0
        let whole = range ?? first..<(last == .max ? last : last + 1)
        let bucketCount = min(max(bucketCount, 1), 1000)
        return groups.sorted { a, b in
            if a.value.starts.count != b.value.starts.count { return a.value.starts.count > b.value.starts.count }
            return a.key.sortKey < b.key.sortKey
        }
        .map { key, group in
            Row(
                toolName: key.tool,
                server: key.server,
                layer: key.layer,
                agentName: key.agent,
                callCount: group.starts.count,
                errorCount: group.errorCount,
                cancelledCount: group.cancelledCount,
                retryCount: group.retryCount,
                errorRate: Double(group.errorCount) / Double(group.starts.count),
                resultBytes: group.resultBytes,
                sparkline: Self.sparkline(group.starts, over: whole, bucketCount: bucketCount),
                durationNanos: Durations(group.durations)
            )
        }
    }

    private static func sparkline(_ starts: [UInt64], over range: Range<UInt64>, bucketCount: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: bucketCount)
        let length = range.upperBound - range.lowerBound
        for start in starts where range.contains(start) {
            // The product needs 128 bits; the quotient is below the number of buckets, as the start lies in the range.
            let product = (start - range.lowerBound).multipliedFullWidth(by: UInt64(bucketCount))
            counts[Int(length.dividingFullWidth(product).quotient)] += 1
        }
        return counts
    }
}
