// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// What readers see of work that is not in the store yet.
package protocol OpenWork: Sendable {
    /// The spans of a trace that are open, or have ended and wait to be stored, as they are now: with `worktrace.open` those that
    /// go on. Empty when there are none.
    func openSpans(ofTrace id: TraceID) -> [Span]

    /// The trace of a session that is open or ended within the hour; `nil` for one that only the store may know.
    func traceID(ofSession id: String) -> TraceID?

    /// `running`, `waiting`, `ended` or `abandoned`; `nil` for a session that only the store may know.
    func state(ofSession id: String) -> String?
}

extension WorkTrace: OpenWork {
    package func openSpans(ofTrace id: TraceID) -> [Span] {
        let now = clock.unixNanos
        return read { ledger in
            ledger.sessions.sessions(ofTrace: id).flatMap { ledger.openSpans(of: $0, at: now) }
        }
    }

    package func traceID(ofSession id: String) -> TraceID? { read { $0.sessions[id]?.place.traceID } }

    /// The traces of the sessions below some roots that are open or ended within the hour.
    func traces(ofRoots roots: Set<String>) -> Set<TraceID> {
        read { ledger in
            var traces: Set<TraceID> = []
            for root in roots {
                for id in ledger.roots[root] ?? [] {
                    if let session = ledger.sessions[id] { traces.insert(session.place.traceID) }
                }
            }
            return traces
        }
    }

    /// Whether others named a session of which nothing itself has come.
    func isOnlyNamed(session id: String) -> Bool {
        read { ledger in ledger.sessions[id].map { !ledger.hasBegun($0) && !$0.isStored } ?? false }
    }

    package func state(ofSession id: String) -> String? { read { $0.sessions[id]?.state } }

    /// Spans of a session that are open or wait to be stored.
    package func openSpanCount(ofSession id: String) -> Int {
        read { ledger in ledger.sessions[id].map { ledger.openSpans(of: $0, at: 0).count } ?? 0 }
    }

    /// Sessions that are open or ended within the hour, in no order.
    func knownSessions() -> [WorkSession] { read { Array($0.sessions.values) } }

    /// Steps of a session that are open or wait to be stored, in no order.
    func openSteps(ofSession id: String) -> [WorkStep] { read { Array(($0.open[id] ?? [:]).values) } }
}

extension WorkLedger {
    /// A session that only others spoke of has no span yet. One that has steps or an end, and no start, is what is known of it.
    fileprivate func openSpans(of session: WorkSession, at now: UInt64) -> [Span] {
        let steps = (open[session.id] ?? [:]).values
        var spans = steps.filter { !$0.isStored }.map { span(of: $0, in: session, at: now) }
        guard !session.isStored, hasBegun(session) else { return spans }
        var session = session
        if !session.isStarted {
            session.startUnixNanos = steps.lazy.map(\.startUnixNanos).reduce(session.startUnixNanos, min)
        }
        spans.append(WorkSpan.span(of: session, at: now))
        return spans
    }

    /// Whether anything of a session itself has come.
    fileprivate func hasBegun(_ session: WorkSession) -> Bool {
        session.isStarted || session.isEnded || open[session.id] != nil || ended[session.id] != nil
    }
}
