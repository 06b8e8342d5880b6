// SPDX-License-Identifier: Apache-2.0
package import SkeinAgents
package import SkeinBase
import SkeinModel
import SkeinPipeline
package import SkeinStore
import Synchronization

/// Sessions and steps of agents while they are open: the ledger with its journal, the way of what has ended into the store, and
/// those who watch.
///
/// What a caller is answered is on the disk: first the record of a change, then the answer. The span of what has ended goes to
/// the store before the journal forgets it, so that after a stop it is stored again rather than lost; the store knows it by its
/// id.
package final class WorkTrace: Sendable {
    /// Journals longer than this are written anew, when that is worth it.
    private static let journalBytesMax = 16 << 20
    private static let waitingBytesMax = 64 << 20
    private static let batchSpanCount = 1_000

    let content: WorkContent
    let options: WorkOptions
    let messages: WorkMessages
    let watchers = WorkWatchers()
    let clock: any WallClock
    private let ledger: Mutex<WorkLedger>
    private let journal: any RecordLog
    private let intake: WorkIntake
    /// Finds a session in the store that the books have forgotten.
    let recaller: Recaller?
    /// Whether a span is stored.
    let isStored: SpanLook?

    let unknown = Mutex(UnknownSessions())

    /// Looks in a trace, or with `nil` in all.
    typealias Recaller = @Sendable (_ session: String, _ trace: TraceID?) async throws(StoreError) -> WorkSession?

    typealias SpanLook = @Sendable (TraceID, SpanID) async throws(StoreError) -> Bool

    private let messageAgeNanos: UInt64?
    /// Writes a sentence into the log of the server.
    private let warn: @Sendable (String) -> Void
    /// A record may be missing: the next change writes all of them anew.
    private let isDoubtful = Atomic<Bool>(false)
    /// Somebody is at ``decideHeld()``.
    let isDeciding = Atomic<Bool>(false)
    /// Spans that have ended wait to be stored.
    let isBehind = Atomic<Bool>(false)
    /// Of the journal when it was last written anew.
    private let freshByteCount = Atomic<Int>(0)
    /// What was found damaged at the start, in words.
    package let problems: [String]

    /// Reads `journal` and `messageLog`. Sessions that the journal has forgotten are looked for in `store`. Messages go when they are older than `messageAgeNanos`, with `nil` never by age.
    package init(
        journal: any RecordLog,
        messageLog: any RecordLog,
        intake: WorkIntake,
        limits: WorkLimits = WorkLimits(),
        content: WorkContent = WorkContent(),
        sampling: any SessionSampling = EverySession(),
        prices: ModelPriceBook = ModelPriceBook(),
        options: WorkOptions = WorkOptions(),
        messageAgeNanos: UInt64? = nil,
        clock: any WallClock = SystemClock(),
        store: (any SpanStore)? = nil,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(StoreError) {
        if let store {
            recaller = { id, trace throws(StoreError) in
                try await WorkRecall.session(id, in: store, trace: trace, at: clock.unixNanos)
            }
            isStored = { trace, span throws(StoreError) in
                try await store.traceReader(trace)?.spans([span]).isEmpty == false
            }
        } else {
            recaller = nil
            isStored = nil
        }
        self.journal = journal
        self.intake = intake
        self.content = content
        self.options = options
        self.warn = warn
        self.clock = clock
        self.messageAgeNanos = messageAgeNanos
        messages = try WorkMessages(messageLog)
        var ledger = WorkLedger(limits: limits, sampling: sampling, prices: prices, options: options)
        var unknownCount = 0
        try journal.forEachRecord { _, bytes in if !ledger.replay(bytes) { unknownCount += 1 } }
        ledger.wake(at: clock.unixNanos)
        ledger.sender = { [messages] in messages.sender(of: $0) }
        isBehind.store(!ledger.unstored(at: 0, countMax: 1).isEmpty, ordering: .relaxed)
        self.ledger = Mutex(ledger)
        var problems = journal.problems + messageLog.problems
        if unknownCount > 0 {
            problems.append("\(unknownCount) records of open work could not be read: they are left out.")
        }
        self.problems = problems
        if !problems.isEmpty { isDoubtful.store(true, ordering: .relaxed) }
    }

    /// What a change came to.
    struct Done<Value: Sendable>: Sendable {
        var value: Value
        /// Spans wait for the store: whoever sends more should wait a moment.
        var isBehind: Bool
    }

    /// Makes a change, puts it on record, stores what ended by it, and returns.
    func perform<Value: Sendable>(
        _ change: (inout WorkLedger, UInt64, inout WorkEffects) throws(APIError) -> Value
    ) async throws(APIError) -> Done<Value> {
        guard journal.waitingByteCount < Self.waitingBytesMax else {
            throw .tooMuchWork("The disk does not take open work as fast as it comes: try again later.")
        }
        let now = clock.unixNanos
        let step = try ledger.withLock { ledger throws(APIError) in
            var effects = WorkEffects()
            effects.wantsEvents = watchers.isWatched
            let value = try change(&ledger, now, &effects)
            watchers.tell(effects.events)
            let receipt = record(effects.records, of: ledger)
            return Step(
                value: value,
                spans: effects.spans,
                warnings: effects.warnings,
                receipt: receipt,
                isTight: ledger.isTight
            )
        }
        for warning in step.warnings { warn(warning) }
        try await settle(step.receipt)
        let isBehind = await store(step.spans)
        if step.isTight { await decideHeld() }
        return Done(value: step.value, isBehind: isBehind)
    }

    private struct Step<Value: Sendable>: Sendable {
        var value: Value
        var spans: [WorkEffects.Pending]
        var warnings: [String]
        var receipt: RecordReceipt
        var isTight: Bool
    }

    /// Looks into the books.
    func read<Value: Sendable>(_ look: (borrowing WorkLedger) -> Value) -> Value { ledger.withLock { look($0) } }

    /// Whether a session is in the books: those who watch are told of its steps as they go on.
    func knows(session: String) -> Bool { read { $0.sessions[session] != nil } }

    /// Takes in a session that only the store knew.
    func adopt(_ session: WorkSession) async throws(APIError) {
        _ = try await perform { ledger, _, effects in
            if ledger.sessions[session.id] == nil { ledger.put(session, &effects) }
        }
    }

    // MARK: Keeping

    private func record(_ records: [[UInt8]], of ledger: borrowing WorkLedger) -> RecordReceipt {
        let byteCount = journal.byteCount
        let isLong =
            byteCount > Self.journalBytesMax && byteCount / 4 > freshByteCount.load(ordering: .relaxed)
            && !records.isEmpty
        let wasDoubtful = isDoubtful.exchange(false, ordering: .relaxed)
        guard wasDoubtful || isLong else { return journal.append(records, replacing: false) }
        let all = ledger.snapshot()
        freshByteCount.store(all.reduce(0) { $0 + $1.count }, ordering: .relaxed)
        return journal.append(all, replacing: true)
    }

    private func settle(_ receipt: RecordReceipt) async throws(APIError) {
        do throws(StoreError) {
            _ = try await receipt.places()
        } catch {
            isDoubtful.store(true, ordering: .relaxed)
            throw APIError(error, requestID: "worktrace")
        }
    }

    /// Stores spans and notes that they are; says whether some have to wait.
    private func store(_ pending: [WorkEffects.Pending]) async -> Bool {
        var rest = pending[...]
        var countMax = Self.batchSpanCount
        while !rest.isEmpty {
            let part = Array(rest.prefix(countMax))
            do throws(Refusal) {
                try await intake.store(part.map(\.span), receivedUnixNanos: clock.unixNanos)
            } catch {
                if error.reason.isRetryable {
                    isBehind.store(true, ordering: .relaxed)
                    return true
                }
                // Together they may be too much; one that is refused by itself is counted with its reason.
                if part.count > 1 {
                    countMax = part.count / 2
                    continue
                }
            }
            rest = rest.dropFirst(part.count)
            noteStored(part)
        }
        return false
    }

    private func noteStored(_ pending: [WorkEffects.Pending]) {
        let now = clock.unixNanos
        ledger.withLock { ledger in
            let records = ledger.noteStored(pending, at: now)
            // Nobody waits for it: without these records the spans are only stored once more.
            _ = journal.append(records, replacing: false)
        }
    }

    // MARK: Time

    /// Does what time asks for. Returns when its task is cancelled.
    package func run() async {
        var ticks = 0
        await catchUp()
        while (try? await clock.sleep(nanos: 1_000_000_000)) != nil {
            await catchUp()
            await decideHeld()
            ticks += 1
            if ticks % 5 == 0 { await sweep() }
            if ticks % 60 == 0 { expireMessages() }
        }
    }

    /// Stores what waits, if anything does.
    private func catchUp() async {
        if isBehind.load(ordering: .relaxed) { await storeWhatWaits() }
    }

    /// Stores what waits of a session.
    func storeWhatWaits(of session: String) async {
        while true {
            let pending = read { $0.unstored(of: session, at: clock.unixNanos, countMax: Self.batchSpanCount) }
            guard !pending.isEmpty else { return }
            if await store(pending) { return }
        }
    }

    /// Tries again to store what could not be stored.
    package func storeWhatWaits() async {
        isBehind.store(false, ordering: .relaxed)
        while true {
            let pending = read { $0.unstored(at: clock.unixNanos, countMax: Self.batchSpanCount) }
            guard !pending.isEmpty else { return }
            if await store(pending) { return }
        }
    }

    /// Abandons what is silent, closes what stays so, and forgets what ended long ago.
    package func sweep() async {
        _ = try? await perform { ledger, now, effects in ledger.sweep(at: now, &effects) }
    }

    package func expireMessages() {
        guard let age = messageAgeNanos else { return messages.expire(before: 0) }
        let now = clock.unixNanos
        messages.expire(before: now - min(now, age))
    }
}
