// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What one trace shows of each of its spans, without looking at others.
struct TraceHygiene {
    /// Clocks of two hosts that are kept in time differ by less: nanoseconds.
    private static let clockNanosMin: UInt64 = 1_000_000
    /// 2001-09-09: no trace is older.
    private static let plausibleUnixNanos: UInt64 = 1_000_000_000_000_000_000

    private let tree: TraceTree
    private let batch: SpanBatch
    private var families = KnownKeys(Family.allCases.flatMap(\.keys))

    /// What a span is a call of, as its attributes say.
    private enum Family: Int, CaseIterable {
        case http, database, messaging

        /// Attributes that every call of this sort has, of both ages of the semantic conventions.
        var keys: [String] {
            switch self {
            case .http: ["http.request.method", "http.method"]
            case .database: ["db.system.name", "db.system"]
            case .messaging: ["messaging.system", "messaging.operation.type"]
            }
        }
    }

    init(_ tree: TraceTree, _ batch: SpanBatch) {
        self.tree = tree
        self.batch = batch
        families.open(batch)
    }

    /// Calls `tell` with every finding: its kind, its row of the tree, and what is seen, in a sentence.
    mutating func read(_ tell: (HygieneFinding.Kind, Int, String) -> Void) {
        var endOfChildren = [UInt64](repeating: 0, count: tree.count)
        for row in 0..<tree.count where tree.parents[row] >= 0 {
            let parent = Int(tree.parents[row])
            endOfChildren[parent] = max(endOfChildren[parent], batch.endUnixNanos(at: Int(tree.batchRows[row])))
        }
        for parent in tree.missingParents {
            for row in parent.rows { tell(.missingParent, row, "The span names a parent that is not stored.") }
        }
        for row in 0..<tree.count {
            readIdentity(row, tell)
            readTimes(row, endOfChildren[row], tell)
            readFamilies(row, tell)
        }
    }

    private func readIdentity(_ row: Int, _ tell: (HygieneFinding.Kind, Int, String) -> Void) {
        let service = tree.services[Int(tree.serviceIndexes[row])].name
        if service.isEmpty {
            tell(.missingServiceName, row, "The resource has no service.name.")
        } else if service.utf8.starts(with: "unknown_service".utf8) {
            tell(.missingServiceName, row, "The service is called \(service), which SDKs say when nobody named it.")
        }
        let kind = Span.Kind(stored: batch.kinds[Int(tree.batchRows[row])])
        if kind == .unspecified {
            tell(.missingKind, row, "The span has no kind.")
        } else if kind == .internal, let parent = parentInOtherService(of: row) {
            tell(.missingKind, row, "A call of \(serviceName(of: parent)) arrives in a span of kind internal.")
        }
    }

    private func readTimes(_ row: Int, _ endOfChildren: UInt64, _ tell: (HygieneFinding.Kind, Int, String) -> Void) {
        let batchRow = Int(tree.batchRows[row])
        let start = batch.startUnixNanos[batchRow]
        if SpanBatch.value(batch.marks, batchRow, default: []).contains(.endsBeforeStart) {
            tell(.negativeDuration, row, "The span has no end, or one before its start.")
        } else if batch.durationNanos[batchRow] == 0 {
            let lastEvent = batch.events.range(of: batchRow).map { batch.events.timeUnixNanos[$0] }.max() ?? 0
            if max(endOfChildren, lastEvent) > start {
                tell(.unfinished, row, "The span has no duration, but children or events after its start.")
            }
        }
        if start < Self.plausibleUnixNanos {
            tell(.clock, row, "The span starts before September 2001.")
        } else if let parent = parentInOtherService(of: row) {
            let (early, isLater) = batch.startUnixNanos[Int(tree.batchRows[parent])].subtractingReportingOverflow(start)
            if !isLater, early >= Self.clockNanosMin {
                let caller = serviceName(of: parent)
                tell(.clock, row, "The span starts a millisecond and more before its parent in \(caller).")
            }
        }
    }

    private mutating func readFamilies(_ row: Int, _ tell: (HygieneFinding.Kind, Int, String) -> Void) {
        let batchRow = Int(tree.batchRows[row])
        var found: Set<Family> = []
        for pair in batch.attributes.range(of: batchRow) {
            guard let number = families.number(batch.attributes.keyRefs[pair], in: batch) else { continue }
            if let family = Family(rawValue: number / 2) { found.insert(family) }
        }
        let kind = Span.Kind(stored: batch.kinds[batchRow])
        if found.contains(.database), kind == .server || kind == .consumer {
            tell(.mixedOperations, row, "A span of kind \(kind) is a call of a database, too.")
        } else if found.isSuperset(of: [.database, .messaging]) {
            tell(.mixedOperations, row, "The span is a call of a database and of a messaging system.")
        } else if found.contains(.http), found.contains(.messaging), kind == .server {
            tell(.mixedOperations, row, "A span of kind server handles a request and a message.")
        }
    }

    private func serviceName(of row: Int) -> String {
        let name = tree.services[Int(tree.serviceIndexes[row])].name
        return name.isEmpty ? "a service without a name" : name
    }

    private func parentInOtherService(of row: Int) -> Int? {
        let parent = Int(tree.parents[row])
        return parent >= 0 && tree.serviceIndexes[parent] != tree.serviceIndexes[row] ? parent : nil
    }
}
