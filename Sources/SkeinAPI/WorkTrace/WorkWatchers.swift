// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tells those who watch what open work does. Never waits for any of them: of one that falls behind, events are dropped and
/// counted.
final class WorkWatchers: Sendable {
    /// Events that wait for a watcher, at most.
    static let waitingCountMax = 2_000

    private let watchers = Mutex<[UInt64: Watcher]>([:])
    private let nextNumber = Atomic<UInt64>(0)

    /// Whether anybody watches.
    var isWatched: Bool { watchers.withLock { !$0.isEmpty } }

    func tell(_ events: [WorkEvent]) {
        guard !events.isEmpty else { return }
        for watcher in watchers.withLock({ Array($0.values) }) { watcher.take(in: events) }
    }

    /// Begins to watch one session, or the sessions of one agent, or with neither all. Ends with ``Watcher/stop()``.
    func watch(session: String?, agent: String?) -> Watcher {
        let number = nextNumber.add(1, ordering: .relaxed).oldValue
        let watcher = Watcher(session: session, agent: agent) { [weak self] in
            self?.watchers.withLock { $0[number] = nil }
        }
        watchers.withLock { $0[number] = watcher }
        return watcher
    }

    final class Watcher: Sendable {
        private struct State {
            var events: [WorkEvent] = []
            var droppedCount = 0
        }

        private let session: String?
        private let agent: String?
        private let end: @Sendable () -> Void
        private let state = Mutex(State())

        fileprivate init(session: String?, agent: String?, end: @escaping @Sendable () -> Void) {
            self.session = session
            self.agent = agent
            self.end = end
        }

        /// Watches no more.
        func stop() { end() }

        fileprivate func take(in events: [WorkEvent]) {
            let mine = events.filter { event in
                (session == nil || event.reference.session == session)
                    && (agent.map { event.agents.contains($0) } ?? true)
            }
            guard !mine.isEmpty else { return }
            state.withLock { state in
                let room = WorkWatchers.waitingCountMax - state.events.count
                state.events += mine.prefix(room)
                state.droppedCount += max(0, mine.count - room)
            }
        }

        /// What happened since the last call, in order, and how many events were dropped.
        func events() -> (events: [WorkEvent], droppedCount: Int) {
            state.withLock { state in
                defer { state = State() }
                return (state.events, state.droppedCount)
            }
        }
    }
}
