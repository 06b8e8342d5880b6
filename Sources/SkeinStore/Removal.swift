// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// Spans that are to be forgotten before their time, and at whose wish.
public struct Removal: Hashable, Sendable {
    /// What becomes of what matches.
    ///
    /// Traces that the condition names by their ids are meant also where nothing but log records of them is stored.
    public enum Action: Hashable, Sendable {
        /// Every trace that holds a matching span goes, whole, and all its log records.
        case delete
        /// In matching spans, their events and links, and as far as these spans are concerned in their resources, the
        /// values of these attribute keys are replaced by ``Removal/mask``. In log records they are in all of a trace with a
        /// matching span.
        case redact(keys: [String])
    }

    /// What stands in the place of a redacted value.
    public static let mask = "[redacted]"
    /// Traces that one removal may touch.
    public static let traceCountMax = 1_000_000

    public var action: Action
    /// The matching span must start in this range.
    public var range: TimeRange
    /// What a matching span satisfies.
    public var predicate: SpanPredicate
    /// The condition as it was written, for the record.
    public var queryText: String
    /// Who asked, in the asker's own words, for the record.
    public var requestedBy: String

    /// A removal.
    public init(
        _ action: Action,
        range: TimeRange = .all,
        predicate: SpanPredicate,
        queryText: String = "",
        requestedBy: String = ""
    ) {
        self.action = action
        self.range = range
        self.predicate = predicate
        self.queryText = queryText
        self.requestedBy = requestedBy
    }

    /// Throws ``StoreError/Code/limit`` when the keys cannot be redacted.
    package func check() throws(StoreError) {
        guard case .redact(let keys) = action else { return }
        guard !keys.isEmpty else { throw StoreError(.limit, "no key to redact was named; name one at least") }
        if keys.contains(where: { $0.isExactly("service.name") }) {
            throw StoreError(
                .limit,
                "service.name cannot be redacted, since spans are kept by it; delete the traces instead"
            )
        }
    }

    /// What a removal did.
    public struct Outcome: Hashable, Sendable {
        /// Traces deleted, or with a value that was changed.
        public var traceCount = 0
        /// Spans deleted, or in which a value was changed.
        public var spanCount = 0
        /// Log records deleted, or in which a value was changed. Not on record: see ``Record``.
        public var logRecordCount = 0

        /// Nothing.
        public init() {}
    }

    /// What a removal would do.
    public struct Preview: Hashable, Sendable {
        /// Of spans that came in several copies, one is counted.
        public var outcome = Outcome()
        /// The first ``sampleCountMax`` of the traces, newest first.
        public var sampleTraceIDs: [TraceID] = []

        /// How many traces are named.
        public static let sampleCountMax = 5

        /// Nothing.
        public init() {}
    }

    /// A removal that was asked for, as the store keeps it for good.
    public struct Record: Hashable, Sendable {
        /// From 1 on.
        public var number: Int
        public var action: Action
        public var range: TimeRange
        public var queryText: String
        public var requestedBy: String
        public var requestedUnixNanos: UInt64
        /// `nil` when it is under way, or was when the process stopped: then it should be asked for again.
        public var finishedUnixNanos: UInt64?
        public var outcome: Outcome
        /// Why it failed; empty when it did not.
        public var failure: String

        /// A record.
        public init(
            number: Int,
            action: Action,
            range: TimeRange,
            queryText: String,
            requestedBy: String,
            requestedUnixNanos: UInt64,
            finishedUnixNanos: UInt64? = nil,
            outcome: Outcome = Outcome(),
            failure: String = ""
        ) {
            self.number = number
            self.action = action
            self.range = range
            self.queryText = queryText
            self.requestedBy = requestedBy
            self.requestedUnixNanos = requestedUnixNanos
            self.finishedUnixNanos = finishedUnixNanos
            self.outcome = outcome
            self.failure = failure
        }
    }
}

/// How long traces with certain spans are kept, in place of the usual time.
///
/// Of several rules the first that any span of the trace satisfies decides.
public struct RetentionRule: Hashable, Sendable {
    public var predicate: SpanPredicate
    /// Nanoseconds since the spans were received; `nil` for ever.
    public var ageNanos: UInt64?

    /// A rule.
    public init(predicate: SpanPredicate, ageNanos: UInt64?) {
        self.predicate = predicate
        self.ageNanos = ageNanos
    }
}

/// What a service takes of the store.
public struct ServiceUsage: Hashable, Sendable {
    /// Empty for spans without `service.name`; `nil` for all services beyond those that are told apart.
    public var name: String?
    /// Stored span copies; duplicates count until they are merged.
    public var spanCount: Int
    /// Bytes on the disk: those of each block, shared out by spans. What is not on the disk yet counts as what it will take,
    /// as far as that can be told.
    public var byteCount: Int

    /// A usage.
    public init(name: String?, spanCount: Int, byteCount: Int) {
        self.name = name
        self.spanCount = spanCount
        self.byteCount = byteCount
    }
}
