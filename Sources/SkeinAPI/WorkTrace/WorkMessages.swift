// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
package import SkeinStore
import SkeinWire
import Synchronization

/// The messages of agents (`agents.md` §3.4): what was sent where, by which step, and which steps it caused. The messages
/// themselves lie in a ``RecordLog``, and here is what they are found by.
///
///     {"t":"message", …}   a message
///     {"t":"cause", …}     a step that a message caused
package final class WorkMessages: Sendable {
    /// Most messages that are kept; the oldest go.
    static let countMax = 200_000
    /// Most bytes of what they are found by.
    static let byteCountMax = 128 << 20
    /// Most messages of which is known what they caused; of the others that of the first is forgotten.
    static let causeCountMax = 200_000
    /// Most steps that one message is known to have caused.
    static let causesOfMessageMax = 1_000

    /// What is known of a message without reading it.
    struct Entry: Sendable {
        var id: String
        var digest: WorkDigest
        var timeUnixNanos: UInt64
        var receivedUnixNanos: UInt64
        var traceID: TraceID?
        var spanID: SpanID?
        var sessionID: String?
        var stepID: String?
        var threadID: String?
        /// Its session was not known: where it belongs is a guess.
        var isGuess = false
        /// Sessions that it was sent to by name.
        var recipients: [String] = []
        /// What its text may name, where that is kept.
        var mentions: [UInt64] = []
        /// `nil` until it is written.
        var place: RecordPlace?

        /// About what it takes in memory.
        var byteCount: Int {
            recipients.reduce(512 + 3 * id.utf8.count) { $0 + 96 + $1.utf8.count } + (sessionID?.utf8.count ?? 0)
                + (stepID?.utf8.count ?? 0) + (threadID?.utf8.count ?? 0) + mentions.count * 96
        }
    }

    /// A step that a message caused.
    struct Cause: Hashable, Sendable {
        var message: String
        var reference: WorkReference
        var traceID: TraceID
        var spanID: SpanID
    }

    private struct Index {
        var entries: [UInt64: Entry] = [:]
        var first: UInt64 = 0
        var next: UInt64 = 0
        var byID: [String: UInt64] = [:]
        var byTrace: [TraceID: [UInt64]] = [:]
        var bySession: [String: [UInt64]] = [:]
        var byThread: [String: [UInt64]] = [:]
        var byRecipient: [String: [UInt64]] = [:]
        var byMention: [UInt64: [UInt64]] = [:]
        var byteCount = 0
        var causes: [String: [Cause]] = [:]
        /// Messages with causes, in the order of the first.
        var causers: [String] = []
        var causesByTrace: [TraceID: [Cause]] = [:]
        var causesBySession: [String: [Cause]] = [:]
    }

    private let log: any RecordLog
    private let index = Mutex(Index())

    /// The messages of `log`, which is read.
    package init(_ log: any RecordLog) throws(StoreError) {
        self.log = log
        var index = Index()
        try log.forEachRecord { place, bytes in
            var reader = JSONReader(bytes)
            guard let value = try? reader.readValue(), case .map(let pairs) = value else { return }
            let record = WorkFields(pairs)
            if record.text("t") == "cause" {
                if let cause = Cause(record) { Self.add(cause, to: &index) }
            } else if var entry = Entry(record) {
                entry.place = place
                Self.add(entry, to: &index)
            }
        }
        self.index.withLock { $0 = index }
    }

    package var problems: [String] { log.problems }
    var hasRoom: Bool { log.waitingByteCount < 64 << 20 }

    func entry(_ id: String) -> Entry? {
        index.withLock { index in index.byID[id].flatMap { index.entries[$0] } }
    }

    /// What sent a message, for a link to it.
    func sender(of id: String) -> WorkSession.SpanLink? {
        guard let entry = entry(id), let trace = entry.traceID, let span = entry.spanID else { return nil }
        return WorkSession.SpanLink(traceID: trace, spanID: span)
    }

    func causes(of id: String) -> [Cause] { index.withLock { $0.causes[id] ?? [] } }

    /// What is known of a message that comes.
    enum Standing {
        /// It was noted now, and has to be written.
        case new
        /// The very same is there.
        case same(Entry)
        /// Another of its id is there.
        case other
    }

    /// Notes those messages of which none of the same id is there.
    func reserve(_ entries: [Entry]) -> [Standing] {
        index.withLock { index in
            entries.map { entry in
                guard let known = index.byID[entry.id].flatMap({ index.entries[$0] }) else {
                    Self.add(entry, to: &index)
                    return .new
                }
                return known.digest == entry.digest ? .same(known) : .other
            }
        }
    }

    /// Whether a message is on the disk, for which one that is on its way is waited for.
    func isWritten(_ id: String) async -> Bool {
        if entry(id)?.place != nil { return true }
        _ = try? await log.append([], replacing: false).places()
        return entry(id)?.place != nil
    }

    /// Writes messages that were reserved. Those that cannot be written are forgotten again.
    func write(_ messages: [(id: String, record: WorkFields)]) async throws(StoreError) {
        guard !messages.isEmpty else { return }
        let receipt = log.append(messages.map(\.record.canonical), replacing: false)
        do throws(StoreError) {
            let places = try await receipt.places()
            index.withLock { index in
                for (message, place) in zip(messages, places) {
                    if let number = index.byID[message.id] { index.entries[number]?.place = place }
                }
            }
        } catch {
            index.withLock { index in Self.remove(messages.compactMap { index.byID[$0.id] }, from: &index) }
            throw error
        }
    }

    /// The messages of a session that nobody knew when they came.
    func guesses(ofSession id: String) -> [Entry] {
        index.withLock { index in
            (index.bySession[id] ?? []).compactMap { index.entries[$0] }.filter { $0.isGuess && $0.place != nil }
        }
    }

    /// The messages of a trace of which no session is known.
    func unowned(inTrace id: TraceID) -> [Entry] {
        index.withLock { index in
            (index.byTrace[id] ?? []).compactMap { index.entries[$0] }
                .filter { $0.sessionID == nil && $0.spanID != nil }
        }
    }

    /// Writes messages anew of which more is known now.
    func rewrite(_ messages: [(id: String, record: WorkFields)]) async throws(StoreError) {
        guard !messages.isEmpty else { return }
        let places = try await log.append(messages.map(\.record.canonical), replacing: false).places()
        index.withLock { index in
            for (message, place) in zip(messages, places) {
                guard var entry = Entry(message.record), index.byID[message.id] != nil else { continue }
                entry.place = place
                Self.add(entry, to: &index)
            }
        }
    }

    func write(_ causes: [Cause]) async throws(StoreError) {
        let new = index.withLock { index in causes.filter { Self.add($0, to: &index) } }
        guard !new.isEmpty else { return }
        _ = try await log.append(new.map(\.record.canonical), replacing: false).places()
    }

    /// The record of a message; `nil` when it is not written yet, or is damaged.
    func record(_ entry: Entry) async -> WorkFields? {
        guard let place = entry.place, let bytes = try? await log.record(at: place) else { return nil }
        let value = bytes.withUnsafeBytes { bytes -> AttributeValue? in
            var reader = JSONReader(bytes)
            return try? reader.readValue()
        }
        guard case .map(let pairs)? = value else { return nil }
        return WorkFields(pairs)
    }

    // MARK: Finding

    /// How a message belongs to what was asked for.
    enum Relation: String {
        case sent, received, triggered, mentioned
    }

    struct Found: Sendable {
        var entry: Entry
        var relation: Relation
    }

    /// The messages of a trace: those sent in it or by its sessions, those that caused a step of it, and those that name it or one of its
    /// sessions.
    func messages(ofTrace id: TraceID, sessions: [String]) -> [Found] {
        index.withLock { index in
            var found = Finding()
            found.add(index.byTrace[id], .sent)
            for session in sessions { found.add(index.bySession[session], .sent) }
            found.add((index.causesByTrace[id] ?? []).compactMap { index.byID[$0.message] }, .triggered)
            for session in sessions { found.add(index.byRecipient[session], .received) }
            for name in [id.description] + sessions { found.add(index.byMention[WorkMentions.hash(name)], .mentioned) }
            return found.list(index.entries)
        }
    }

    func messages(ofSession id: String) -> [Found] {
        index.withLock { index in
            var found = Finding()
            found.add(index.bySession[id], .sent)
            found.add((index.causesBySession[id] ?? []).compactMap { index.byID[$0.message] }, .triggered)
            found.add(index.byRecipient[id], .received)
            found.add(index.byMention[WorkMentions.hash(id)], .mentioned)
            return found.list(index.entries)
        }
    }

    func messages(ofThread id: String) -> [Found] {
        index.withLock { index in
            var found = Finding()
            found.add(index.byThread[id], .sent)
            return found.list(index.entries)
        }
    }

    private struct Finding {
        var relations: [UInt64: Relation] = [:]

        mutating func add(_ numbers: [UInt64]?, _ relation: Relation) {
            for number in numbers ?? [] where relations[number] == nil { relations[number] = relation }
        }

        func list(_ entries: [UInt64: Entry]) -> [Found] {
            relations.compactMap { number, relation in
                entries[number].map { Found(entry: $0, relation: relation) }
            }
            .sorted { ($0.entry.timeUnixNanos, $0.entry.id) < ($1.entry.timeUnixNanos, $1.entry.id) }
        }
    }

    // MARK: Forgetting

    /// Forgets messages that came before `time`, and the oldest where there are too many.
    func expire(before time: UInt64) {
        let segment = index.withLock { index -> UInt64? in
            var old: [UInt64] = []
            var byteCount = index.byteCount
            while index.first < index.next {
                if let entry = index.entries[index.first] {
                    let isSurplus =
                        index.entries.count - old.count > Self.countMax || byteCount > Self.byteCountMax
                    guard entry.receivedUnixNanos < time || isSurplus else { break }
                    old.append(index.first)
                    byteCount -= entry.byteCount
                }
                index.first += 1
            }
            Self.remove(old, from: &index)
            return old.isEmpty ? nil : index.entries[index.first]?.place?.segment
        }
        if let segment { log.removeSegments(before: segment) }
    }

    /// Whether there are so many more than are kept that they should not wait for their time.
    var isOverfull: Bool {
        index.withLock {
            $0.entries.count > Self.countMax / 8 * 9 || $0.byteCount > Self.byteCountMax / 8 * 9
        }
    }

    private static func add(_ entry: Entry, to index: inout Index) {
        if let old = index.byID[entry.id] { remove([old], withCauses: false, from: &index) }
        let number = index.next
        index.next += 1
        index.entries[number] = entry
        index.byteCount += entry.byteCount
        index.byID[entry.id] = number
        if let id = entry.traceID { index.byTrace[id, default: []].append(number) }
        if let id = entry.sessionID { index.bySession[id, default: []].append(number) }
        if let id = entry.threadID { index.byThread[id, default: []].append(number) }
        for id in entry.recipients { index.byRecipient[id, default: []].append(number) }
        for word in entry.mentions { index.byMention[word, default: []].append(number) }
    }

    @discardableResult
    private static func add(_ cause: Cause, to index: inout Index) -> Bool {
        if let known = index.causes[cause.message] {
            guard known.count < causesOfMessageMax, !known.contains(cause) else { return false }
        } else {
            index.causers.append(cause.message)
            if index.causers.count > causeCountMax + causeCountMax / 8 {
                let surplus = index.causers.count - causeCountMax
                forgetCauses(of: Array(index.causers.prefix(surplus)), in: &index)
                index.causers.removeFirst(surplus)
            }
        }
        index.causes[cause.message, default: []].append(cause)
        index.causesByTrace[cause.traceID, default: []].append(cause)
        index.causesBySession[cause.reference.session, default: []].append(cause)
        return true
    }

    /// Removes many at once: every list that they stand in is gone through once.
    private static func remove(_ numbers: [UInt64], withCauses: Bool = true, from index: inout Index) {
        let gone = numbers.compactMap { number in index.entries.removeValue(forKey: number).map { (number, $0) } }
        guard !gone.isEmpty else { return }
        for (number, entry) in gone {
            if index.byID[entry.id] == number { index.byID[entry.id] = nil }
            index.byteCount -= entry.byteCount
        }
        let entries = index.entries
        func cut<Key: Hashable>(_ lists: inout [Key: [UInt64]], _ keys: some Sequence<Key>) {
            for key in Set(keys) {
                lists[key]?.removeAll { entries[$0] == nil }
                if lists[key]?.isEmpty == true { lists[key] = nil }
            }
        }
        cut(&index.byTrace, gone.compactMap(\.1.traceID))
        cut(&index.bySession, gone.compactMap(\.1.sessionID))
        cut(&index.byThread, gone.compactMap(\.1.threadID))
        cut(&index.byRecipient, gone.flatMap(\.1.recipients))
        cut(&index.byMention, gone.flatMap(\.1.mentions))
        guard withCauses else { return }
        let causers = Set(gone.map(\.1.id)).filter { index.causes[$0] != nil }
        guard !causers.isEmpty else { return }
        forgetCauses(of: Array(causers), in: &index)
        index.causers.removeAll { causers.contains($0) }
    }

    private static func forgetCauses(of messages: [String], in index: inout Index) {
        let gone = messages.flatMap { index.causes.removeValue(forKey: $0) ?? [] }
        let ids = Set(messages)
        func cut<Key: Hashable>(_ lists: inout [Key: [Cause]], _ keys: some Sequence<Key>) {
            for key in Set(keys) {
                lists[key]?.removeAll { ids.contains($0.message) }
                if lists[key]?.isEmpty == true { lists[key] = nil }
            }
        }
        cut(&index.causesByTrace, gone.map(\.traceID))
        cut(&index.causesBySession, gone.map(\.reference.session))
    }
}

extension WorkMessages.Entry {
    /// Of a message's record.
    init?(_ record: WorkFields) {
        guard let id = record.text("messageId"), let digest = record.text("digest").flatMap({ WorkDigest($0) }),
            let time = record.nanos("time")
        else { return nil }
        self.init(
            id: id,
            digest: digest,
            timeUnixNanos: time,
            receivedUnixNanos: record.nanos("received") ?? time,
            traceID: record.text("traceId").flatMap { TraceID(hex: $0) },
            spanID: record.text("spanId").flatMap { SpanID(hex: $0) },
            sessionID: record.text("sessionId"),
            stepID: record.text("stepId"),
            threadID: record.text("threadId"),
            isGuess: record.flag(WorkTrace.isGuess),
            recipients: Array(
                record.texts("to").lazy.filter { $0.hasPrefix("session:") }.map { String($0.dropFirst(8)) }
                    .filter { WorkObject.problem(ofID: $0) == nil }.prefix(64)
            ),
            mentions: record.text("text").map(WorkMentions.hashes) ?? []
        )
    }
}

extension WorkMessages.Cause {
    fileprivate init?(_ record: WorkFields) {
        guard let message = record.text("messageId"), let session = record.text("sessionId"),
            let step = record.text("stepId"), let trace = record.text("traceId").flatMap({ TraceID(hex: $0) }),
            let span = record.text("spanId").flatMap({ SpanID(hex: $0) })
        else { return nil }
        self.init(
            message: message,
            reference: WorkReference(session: session, step: step),
            traceID: trace,
            spanID: span
        )
    }

    fileprivate var record: WorkFields {
        var out = WorkFields()
        out.set("t", "cause")
        out.set("messageId", message)
        out.set("sessionId", reference.session)
        out.set("stepId", reference.step)
        out.set("traceId", traceID.description)
        out.set("spanId", spanID.description)
        return out
    }
}
