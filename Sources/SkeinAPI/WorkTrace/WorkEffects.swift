// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What is to be done about a change of the ledger, by whoever holds it: in this order.
struct WorkEffects: Sendable {
    /// For the journal, before anybody is answered.
    var records: [[UInt8]] = []
    /// To be stored; then the ledger is told.
    var spans: [Pending] = []
    /// For those who watch.
    var events: [WorkEvent] = []
    /// For the log of the server.
    var warnings: [String] = []
    /// Whether anybody watches.
    var wantsEvents = false

    struct Pending: Sendable {
        var reference: WorkReference
        var span: Span
        /// Of the step as the span tells of it.
        var revision = 0
    }
}

/// A step, or with an empty step the session itself.
struct WorkReference: Hashable, Sendable {
    var session: String
    var step = ""
}

/// What those who watch are told.
struct WorkEvent: Sendable {
    enum Kind: String {
        case start = "span.start"
        case update = "span.update"
        case end = "span.end"
    }

    var kind: Kind
    var reference: WorkReference
    /// Name and id of the session's agent.
    var agents: [String]
    var span: Span
    /// `nil` while the span is open.
    var durationNanos: UInt64?
    var outcome: String?
}
