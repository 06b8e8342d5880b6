// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@testable import SkeinAPI

@Suite struct SessionActivityTests {
    @Test func `steps are counted where they begin in the time of their session, and none outside of it is lost`() {
        var work = AgentSpans()
        let lead = work.agent("lead", 0...100)
        work.tool("early", 0...10, below: lead)
        work.tool("late", 99...100, below: lead)
        work.tool("after", 300...310, below: lead)
        let child = work.agent("child", 40...80, below: lead)
        work.tool("half", 60...70, below: child)
        let orchestration = work.orchestration
        let activity = SessionActivity(orchestration, work.spans)
        let counts = orchestration.sessions.indices.map { activity.counts(of: $0) }
        #expect(counts.map(\.count) == [24, 24])
        #expect(counts[0].reduce(0, +) >= 3 && counts[0][0] == 1 && (counts[0].last ?? 0) >= 1)
        #expect(counts[1].reduce(0, +) == 1 && counts[1][12] == 1)
    }

    @Test func `a session without steps tells nothing`() {
        var work = AgentSpans()
        work.agent("idle", 0...100)
        let activity = SessionActivity(work.orchestration, work.spans)
        #expect(activity.counts(of: 0).isEmpty)
    }
}
