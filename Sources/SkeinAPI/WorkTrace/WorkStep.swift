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
    /// Whether its span is stored with all that is known; it is here for what may still be said of it.
    var isStored = false
    /// When the span of it that is stored ends.
    var storedEndUnixNanos: UInt64?
    /// How often something was said of it since it was abandoned.
    var revision = 0

    var isEnded: Bool { endUnixNanos != nil }
    /// Whether the end of its session ended it, and nobody who knows how it ended.
    var isAbandoned: Bool {
        isEnded && outcome == WorkOutcome.abandoned && endDigest == nil && fields.text("stepOutcome") != outcome
    }
    var action: String { fields.text("stepAction") ?? "custom" }
    var kind: String { fields.text("stepKind") ?? WorkKind.kind(ofAction: action) }
    /// Whether somebody or something else has to act first.
    var isWaiting: Bool { kind == "wait" || kind == "human" || fields["waitsOn"] != nil || outcome == "needs_input" }

    /// Takes over what a call at `now` says; what it names takes the place of what was there, contexts are merged, and events and
    /// links are added.
    mutating func merge(_ new: WorkFields, at now: UInt64?) {
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
            case "events":
                let known = fields.list(name)
                var list = known
                for case .map(let pairs) in new.list(name) {
                    var event = WorkFields(pairs)
                    // Without an id, equal ones of one call are several.
                    guard Self.standing(of: event, among: event["id"] == nil ? known : list) == .new else { continue }
                    if event["time"] == nil { event.set("time", nanos: now) }
                    list.append(event.value)
                }
                fields[name] = .array(Array(list.prefix(Self.listCountMax)))
            case "links", "messageIds":
                let list = fields.list(name) + new.list(name).filter { !fields.list(name).contains($0) }
                fields[name] = .array(Array(list.prefix(Self.listCountMax)))
            default: fields[name] = value
            }
        }
    }

    /// What an event is to those that are there.
    enum EventStanding {
        case new
        /// The very same is there: by its id or, without one, at the time that it says itself.
        case same
        /// Another of its id is there.
        case other
    }

    static func standing(of event: WorkFields, among events: [AttributeValue]) -> EventStanding {
        let (id, time) = (event["id"], event["time"])
        guard id != nil || time != nil else { return .new }
        for case .map(let pairs) in events {
            guard id == nil ? pairs["time"] == time && pairs["name"] == event["name"] : pairs["id"] == id else {
                continue
            }
            var said = event
            // One that says no time has that of its first call.
            if time == nil { said["time"] = pairs["time"] }
            if said.canonical == WorkFields(pairs).canonical { return .same }
            if id != nil { return .other }
        }
        return .new
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
