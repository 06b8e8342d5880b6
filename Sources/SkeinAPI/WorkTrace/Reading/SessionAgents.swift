// SPDX-License-Identifier: Apache-2.0
import SkeinAgents

/// How many different agents took part in each session of a trace: its own, and those of all sessions below it.
struct SessionAgents {
    /// By the places of the sessions.
    let counts: [Int]

    init(_ sessions: [Orchestration.Session]) {
        let places = Dictionary(zip(sessions.map(\.sessionID), 0...), uniquingKeysWith: { first, _ in first })
        let parents = sessions.map { session in session.parentSessionID.flatMap { places[$0] } }
        var agents = sessions.map { Set([$0.agentID ?? $0.agentName]) }
        var waiting = [Int](repeating: 0, count: sessions.count)
        for parent in parents { if let parent { waiting[parent] += 1 } }
        var counts = [Int](repeating: 1, count: sessions.count)
        // From the leaves up, the smaller set into the larger, so that chains of any length take no longer than they are. Circles stay 1.
        var ready = sessions.indices.filter { waiting[$0] == 0 }
        while let place = ready.popLast() {
            var own = agents[place]
            agents[place] = []
            counts[place] = own.count
            guard let parent = parents[place] else { continue }
            if own.count > agents[parent].count { swap(&own, &agents[parent]) }
            agents[parent].formUnion(own)
            waiting[parent] -= 1
            if waiting[parent] == 0 { ready.append(parent) }
        }
        self.counts = counts
    }
}
