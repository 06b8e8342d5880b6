// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// A step that has not ended, or whose span is not stored yet.
struct WorkStep: Sendable {
    let id: String
    /// All that was said of it so far.
    var fields = WorkFields()
    /// Of the call that started it; `nil` as long as that has not come.
    var startDigest: WorkDigest?
    /// Of the call that ended it.
    var endDigest: WorkDigest?
    var startUnixNanos: UInt64
    /// `nil` as long as it is open.
    var endUnixNanos: UInt64?
    /// What was last said.
    var outcome: String?
    /// Whether the totals of its session have it.
    var isCounted = false
    /// Bytes of its record in the journal, for the limit.
    var byteCount = 0

    var isEnded: Bool { endUnixNanos != nil }
    var action: String { fields.text("stepAction") ?? "custom" }
    var kind: String { fields.text("stepKind") ?? WorkKind.kind(ofAction: action) }
    /// Whether somebody or something else has to act first.
    var isWaiting: Bool { kind == "wait" || kind == "human" || fields["waitsOn"] != nil || outcome == "needs_input" }

    /// Takes over what a call says; what it names takes the place of what was there, contexts are merged, and events and links
    /// are added.
    mutating func merge(_ new: WorkFields) {
        for (name, value) in new.values {
            switch name {
            case "stepContext":
                let merged = WorkContext.merged(fields.map(name), new.map(name))
                fields[name] = .map(merged.context)
                if merged.isTruncated { fields["contextTruncated"] = true }
            case "usage", "tool", "llm":
                var inner = fields.fields(name)
                for (key, value) in new.fields(name).values { inner[key] = value }
                fields[name] = inner.value
            case "events", "links", "messageIds":
                let list = fields.list(name) + new.list(name).filter { !fields.list(name).contains($0) }
                fields[name] = .array(Array(list.prefix(Self.listCountMax)))
            default: fields[name] = value
            }
        }
    }

    /// Events, links and messages that are kept of a step.
    static let listCountMax = 1_000
}

/// What is remembered of a step whose span is stored.
struct EndedStep: Hashable, Sendable {
    var startDigest: WorkDigest?
    var endDigest: WorkDigest?
    var outcome: String
}
