// SPDX-License-Identifier: Apache-2.0

/// Tool calls of many orchestrations in groups (`agents-api.md` §5, `GET tools`).
///
/// Each call counts by its weight: how many it stands for, where sampling left others out. Percentiles are exact for what is
/// stored: of each call the table keeps its duration, start and weight, 32 bytes.
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
        var starts: [(unixNanos: UInt64, weight: Double)] = []
        /// Of the calls that have ended.
        var durations: [(nanos: UInt64, weight: Double)] = []
        var callCount = 0.0
        var errorCount = 0.0
        var cancelledCount = 0.0
        var retryCount = 0.0
        var resultBytes: UInt64?
    }

    /// One group. A dimension that was not asked for is `nil`.
    package struct Row: Sendable {
        package var toolName: String?
        package var server: String?
        package var layer: AgentSpan.ToolLayer?
        package var agentName: String?
        /// Calls that were made, as far as is known of those that sampling left out; so are the other counts and sums.
        package var callCount: Int
        /// Calls that were looked at.
        package var storedCallCount: Int
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
        fileprivate init?(_ durations: [(nanos: UInt64, weight: Double)]) {
            let sorted = durations.sorted { $0.nanos < $1.nanos }
            guard let max = sorted.last?.nanos else { return nil }
            let all = sorted.reduce(0) { $0 + $1.weight }
            var percentiles: [UInt64] = []
            var weight = 0.0
            total = 0
            for (nanos, own) in sorted {
                weight += own
                total.addClamped(nanos.times(own))
                while percentiles.count < Self.percents.count, weight * 100 >= Self.percents[percentiles.count] * all {
                    percentiles.append(nanos)
                }
            }
            // Sums of parts of a number may be a little less than it.
            percentiles += Array(repeating: max, count: Self.percents.count - percentiles.count)
            (p50, p90, p95, p99) = (percentiles[0], percentiles[1], percentiles[2], percentiles[3])
            self.max = max
        }

        private static let percents: [Double] = [50, 90, 95, 99]
    }

    package init(groupBy dimensions: Set<Dimension> = [.tool]) { self.dimensions = dimensions }

    /// Counts a call: once, or by layers once for each of its layers, with that layer's own time.
    package mutating func add(_ call: Orchestration.ToolCall) {
        var key = Key()
        if dimensions.contains(.tool) { key.tool = call.toolName }
        if dimensions.contains(.server) { key.server = call.server }
        if dimensions.contains(.agent) { key.agent = call.agentName }
        guard dimensions.contains(.layer) else { return add(call, key, call.durationNanos, call.weight) }
        for layer in call.layers {
            key.layer = layer.layer
            add(call, key, layer.selfNanos, layer.weight)
        }
    }

    private mutating func add(_ call: Orchestration.ToolCall, _ key: Key, _ nanos: UInt64, _ weight: Double) {
        var group = groups.removeValue(forKey: key) ?? Group()
        group.callCount += weight
        group.starts.append((call.startUnixNanos, weight))
        if call.outcome != nil { group.durations.append((nanos, weight)) }
        if call.isError { group.errorCount += weight }
        if call.outcome == "cancelled" { group.cancelledCount += weight }
        if call.retryOf != nil { group.retryCount += weight }
        if let bytes = call.resultBytes {
            var sum = group.resultBytes ?? 0
            sum.addClamped(bytes.times(weight))
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
        let starts = groups.values.lazy.flatMap { $0.starts.lazy.map(\.unixNanos) }
        let first = starts.min() ?? 0
        let last = starts.max() ?? 0
        let whole = range ?? first..<(last == .max ? last : last + 1)
        let bucketCount = min(max(bucketCount, 1), 1000)
        return groups.map { (key: $0, group: $1, callCount: Int(rounding: $1.callCount)) }.sorted { a, b in
            a.callCount != b.callCount ? a.callCount > b.callCount : a.key.sortKey < b.key.sortKey
        }
        .map { key, group, callCount in
            Row(
                toolName: key.tool,
                server: key.server,
                layer: key.layer,
                agentName: key.agent,
                callCount: callCount,
                storedCallCount: group.starts.count,
                errorCount: Int(rounding: group.errorCount),
                cancelledCount: Int(rounding: group.cancelledCount),
                retryCount: Int(rounding: group.retryCount),
                errorRate: group.errorCount / group.callCount,
                resultBytes: group.resultBytes,
                sparkline: Self.sparkline(group.starts, over: whole, bucketCount: bucketCount),
                durationNanos: Durations(group.durations)
            )
        }
    }

    private static func sparkline(
        _ starts: [(unixNanos: UInt64, weight: Double)],
        over range: Range<UInt64>,
        bucketCount: Int
    ) -> [Int] {
        var counts = [Double](repeating: 0, count: bucketCount)
        let length = range.upperBound - range.lowerBound
        for (start, weight) in starts where range.contains(start) {
            // The product needs 128 bits; the quotient is below the number of buckets, as the start lies in the range.
            let product = (start - range.lowerBound).multipliedFullWidth(by: UInt64(bucketCount))
            counts[Int(length.dividingFullWidth(product).quotient)] += weight
        }
        return counts.map { Int(rounding: $0) }
    }
}

extension UInt64 {
    /// As often as a weight says, at most `UInt64.max`; exactly itself for 1.
    fileprivate func times(_ weight: Double) -> UInt64 {
        guard weight != 1 else { return self }
        return UInt64(exactly: (Double(self) * weight).rounded()) ?? .max
    }
}

extension Int {
    /// The nearest number to a sum of weights, at most `Int.max`.
    fileprivate init(rounding sum: Double) { self = Int(exactly: sum.rounded()) ?? .max }
}
