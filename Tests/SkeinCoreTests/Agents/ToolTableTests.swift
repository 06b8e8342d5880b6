// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite("Tool table")
struct ToolTableTests {
    private func table(_ groupBy: Set<ToolTable.Dimension>, _ work: AgentSpans) -> ToolTable {
        var table = ToolTable(groupBy: groupBy)
        for call in work.orchestration.toolCalls { table.add(call) }
        return table
    }

    @Test("A percentile is the smallest duration with at least that share at or below it")
    func percentiles() throws {
        var work = AgentSpans()
        for number in 1...10 { work.tool("add", 0...number) }
        let row = try #require(table([.tool], work).rows().first)
        let durations = try #require(row.durationNanos)
        #expect(durations.p50 == AgentSpans.nanos(5))
        #expect(durations.p90 == AgentSpans.nanos(9))
        #expect(durations.p95 == AgentSpans.nanos(10))
        #expect(durations.p99 == AgentSpans.nanos(10))
        #expect(durations.max == AgentSpans.nanos(10))
        #expect(durations.total == AgentSpans.nanos(55))
    }

    @Test("Errors, cancellations, retries and bytes are counted; most calls first")
    func counts() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100)
        work.tool("b", 0...1, below: agent)
        work.tool("a", 0...10, below: agent) { $0.fail() }
        work.tool("a", 20...30, below: agent) { $0.tool?.resultBytes = 7 }
        work.tool("a", 40...50, below: agent) { $0.errorType = "cancelled" }
        work.tool("a", 60...70, below: agent) { $0.isOpen = true }
        let rows = table([.tool], work).rows(bucketCount: 2)
        #expect(rows.map(\.toolName) == ["a", "b"])
        #expect(rows.map(\.callCount) == [4, 1])
        #expect(rows.map(\.errorCount) == [1, 0])
        #expect(rows.map(\.cancelledCount) == [1, 0])
        #expect(rows.map(\.retryCount) == [1, 0])
        #expect(rows.map(\.errorRate) == [0.25, 0])
        #expect(rows.map(\.resultBytes) == [7, nil])
        #expect(rows.map(\.sparkline) == [[2, 2], [1, 0]])
        #expect(rows[0].durationNanos?.total == AgentSpans.nanos(30))
        #expect(rows.allSatisfy { $0.server == nil && $0.layer == nil && $0.agentName == nil })
    }

    @Test("A call that stands for others counts as if they were there")
    func weights() throws {
        var sampled = AgentSpans()
        var whole = AgentSpans()
        for number in 1...20 {
            let weight = number % 5 + 1
            func call(_ work: inout AgentSpans, _ weight: Int) {
                work.tool(number % 3 == 0 ? "b" : "a", 0...number) {
                    if number % 4 == 0 { $0.fail() }
                    $0.tool?.resultBytes = 10
                    $0.weight = Double(weight)
                }
            }
            call(&sampled, weight)
            for _ in 0..<weight { call(&whole, 1) }
        }
        let (some, all) = (table([.tool], sampled).rows(), table([.tool], whole).rows())
        #expect(some.map(\.toolName) == all.map(\.toolName))
        #expect(some.map(\.callCount) == all.map(\.callCount))
        #expect(some.map(\.errorCount) == all.map(\.errorCount))
        #expect(some.map(\.resultBytes) == all.map(\.resultBytes))
        #expect(some.map(\.sparkline) == all.map(\.sparkline))
        #expect(some.map(\.durationNanos) == all.map(\.durationNanos))
        #expect(some.map(\.storedCallCount) == [14, 6])
    }

    @Test("By layers each layer is a row with its own time")
    func layers() {
        var work = AgentSpans()
        let agent = work.agent("a", 0...100)
        let call = work.tool("add", 0...50, below: agent)
        work.tool("add", 10...40, below: call, layer: .server, service: "demo") { $0.tool?.server = "demo" }
        let rows = table([.tool, .layer, .server, .agent], work).rows()
        #expect(rows.map(\.layer) == [.agent, .server])
        #expect(rows.map { $0.durationNanos?.total } == [20, 30].map(AgentSpans.nanos))
        #expect(rows.map(\.server) == ["demo", "demo"])
        #expect(rows.map(\.agentName) == ["a", "a"])
    }

    @Test("Calls outside of the range are counted and not drawn; a sum stays within its number")
    func range() {
        var work = AgentSpans()
        work.tool("add", 0...1) { ($0.startUnixNanos, $0.durationNanos) = (0, .max) }
        work.tool("add", 0...1) { ($0.startUnixNanos, $0.durationNanos) = (.max, .max) }
        let rows = table([.tool], work).rows(over: 0..<UInt64.max, bucketCount: 3)
        #expect(rows.map(\.sparkline) == [[1, 0, 0]])
        #expect(rows.map(\.callCount) == [2])
        #expect(rows.map { $0.durationNanos?.total } == [.max])
        #expect(table([.tool], AgentSpans()).rows().isEmpty)
    }
}
