// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Where in a batch content may be, found by keys and names of events alone: a batch of plain services has none, and costs one
/// look at each distinct key.
struct ContentFinder {
    private let batch: SpanBatch
    private let keys: ContentKeys
    private let rows: ContentFilter.Rows
    /// By ref: the number that ``ContentKeys`` has for the key, 0 for what is no key.
    private var numbers: [UInt8]
    /// By ref: what an event of this name is; empty where no event is any.
    private var eventKinds: [SpanBatch.Ref: EventKind] = [:]

    private enum EventKind {
        case message, toolOutput
        /// Any other event of the convention.
        case convention

        init?(_ name: String) {
            if ContentKey.messageEvents.contains(name) {
                self = .message
            } else if name == ContentKey.outputEvent {
                self = .toolOutput
            } else if name.hasPrefix("gen_ai.") {
                self = .convention
            } else {
                return nil
            }
        }
    }

    /// `nil` when there is none.
    init?(_ batch: SpanBatch, _ keys: ContentKeys, _ rows: ContentFilter.Rows) {
        self.batch = batch
        self.keys = keys
        self.rows = rows
        numbers = [UInt8](repeating: 0, count: batch.dictionary.count)
        var isFound = false
        for ref in batch.attributes.keyRefs where note(ref) { isFound = true }
        for ref in batch.events.attributes.keyRefs where note(ref) { isFound = true }
        noteEvents(rows == .spans ? batch.events.nameRefs : batch.nameRefs)
        if rows == .logRecords { noteEventNames() }
        guard isFound || !eventKinds.isEmpty else { return nil }
    }

    /// Whether the key is one of content.
    private mutating func note(_ ref: SpanBatch.Ref) -> Bool {
        let known = numbers[Int(ref)]
        if known != 0 { return known != ContentKeys.none }
        let number = batch.dictionary.withBytes(ref) { keys.number(of: $0) }
        numbers[Int(ref)] = number
        return number != ContentKeys.none
    }

    private mutating func noteEvents(_ names: [SpanBatch.Ref]) {
        for name in names where eventKinds[name] == nil {
            let mayBe = batch.dictionary.withBytes(name) { bytes in
                bytes.count > 7 && (bytes[0] == UInt8(ascii: "g") || bytes[0] == UInt8(ascii: "t"))
            }
            if mayBe { eventKinds[name] = EventKind(batch.dictionary.string(name)) }
        }
    }

    /// Older senders of log records name them in an attribute.
    private mutating func noteEventNames() {
        let key = batch.dictionary.refs(of: [Array("event.name".utf8)]).first
        guard let key else { return }
        for pair in batch.attributes.keyRefs.indices where batch.attributes.keyRefs[pair] == key {
            let value = batch.attributes.valueRefs[pair]
            if let name = batch.dictionary.value(value).scalarText { eventKinds[value] = EventKind(name) }
        }
    }

    /// Whether there may be content in a row.
    func mayHold(_ row: Int) -> Bool {
        batch.attributes.range(of: row).contains { isContent(batch.attributes.keyRefs[$0]) }
            || kind(ofRow: row) != nil
            || batch.events.range(of: row).contains { event in
                (rows == .spans && eventKinds[batch.events.nameRefs[event]] != nil)
                    || batch.events.attributes.range(of: event)
                        .contains { isContent(batch.events.attributes.keyRefs[$0]) }
            }
    }

    private func isContent(_ key: SpanBatch.Ref) -> Bool { numbers[Int(key)] > ContentKeys.none }

    /// The rows of the table for a key.
    func rows(ofKey key: SpanBatch.Ref) -> [ContentKey] { keys.rows[Int(numbers[Int(key)])] }

    /// The rows for a key of an event's attribute. The body of a log record is content by what the record is, not by its key.
    func rows(ofEventKey key: SpanBatch.Ref) -> [ContentKey] { rows == .spans ? rows(ofKey: key) : [] }

    /// What a log record is; `nil` for spans.
    private func kind(ofRow row: Int) -> EventKind? {
        guard rows == .logRecords, !eventKinds.isEmpty else { return nil }
        if let kind = eventKinds[batch.nameRefs[row]] { return kind }
        return batch.attributes.range(of: row).lazy.compactMap { eventKinds[batch.attributes.valueRefs[$0]] }.first
    }

    /// Of an event whose attributes are content the keys of those that are none; `nil` for any other event. Of log records
    /// the one event holds the body, which is content in all events of the convention.
    func plainKeys(ofEvent event: Int, _ row: Int, _ holder: ContentFilter.Holder) -> Set<String>? {
        let kind = rows == .spans ? eventKinds[batch.events.nameRefs[event]] : kind(ofRow: row)
        switch kind {
        case .message: return ContentKey.plainMessageKeys
        case .toolOutput: return rows == .spans && holder.own.contains(.claudeCode) ? ["event.name"] : nil
        case .convention: return rows == .logRecords ? [] : nil
        case nil: return nil
        }
    }
}
