// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Calls that a trace makes again and again where one might do ("N+1"): spans of one operation, and of one shape of
/// statement, below one span or within one visit to a service.
package struct RepeatedCalls: Sendable {
    /// Most calls first, then in order of rows.
    package private(set) var findings: [Finding] = []

    /// What is worth telling.
    package struct Thresholds: Hashable, Sendable {
        /// Least number of calls, 2 and more.
        package var countMin = 5
        /// The part of the caller's duration that the calls take at least, 0…1.
        package var shareMin = 0.01

        package init() {}
    }

    /// Where the calls stand.
    package enum Scope: String, Hashable, Sendable {
        /// Below one span.
        case parent
        /// Below several spans of one visit to a service: below the span that entered the service, and in that service.
        case service
    }

    /// What repeated calls have in common.
    package struct Call: Hashable, Sendable {
        /// The operation's name is its ``TextShape/name(_:)``.
        package var name: OperationName
        /// See ``TextShape/statement(_:)``; empty for what is no call of a database.
        @ExactText package var statement: String
        /// What the spans say is called, see `Peer`; empty where they do not.
        @ExactText package var peer: String
    }

    package struct Finding: Hashable, Sendable {
        package var scope: Scope
        /// Row of the tree: the parent, or the span that entered the service.
        package var caller: Int
        package var call: Call
        package var count: Int
        /// Of all calls together.
        package var totalNanos: UInt64
        /// In which at least one of them was running.
        package var coveredNanos: UInt64
        /// The part of the caller's duration in which one was running, 0…1.
        package var share: Double
        /// Whether they hardly overlap, so that doing them at once would save time.
        package var isSequential: Bool { totalNanos / 10 <= coveredNanos / 9 }
    }

    /// The repeated calls in `tree`, which must be the tree of `batch`. Statements and peers are read where the batch has
    /// attributes.
    package init(_ tree: TraceTree, of batch: SpanBatch, thresholds: Thresholds = Thresholds()) {
        var reader = CallReader(tree, batch)
        let calls = (0..<tree.count).map { reader.number(at: $0) }
        let entries = Self.entries(tree)
        var told: Set<Place> = []
        for (place, rows) in Self.grouped(tree, calls, by: { Int(tree.parents[$0]) }) {
            guard let finding = finding(.parent, place, rows, reader, thresholds) else { continue }
            findings.append(finding)
            told.insert(Place(caller: entries[place.caller], call: place.call))
        }
        let outward = Self.grouped(tree, calls) { row in
            reader.leavesService(row) ? entries[Int(tree.parents[row])] : -1
        }
        for (place, rows) in outward where !told.contains(place) {
            if let finding = finding(.service, place, rows, reader, thresholds) { findings.append(finding) }
        }
        findings.sort { a, b in
            a.count != b.count ? a.count > b.count : (a.caller, a.call.statement) < (b.caller, b.call.statement)
        }
    }

    private struct Place: Hashable {
        var caller: Int
        var call: Int
    }

    /// Rows with a parent by caller and call, in order of first appearance; those that have no caller left out.
    private static func grouped(
        _ tree: TraceTree,
        _ calls: [Int],
        by caller: (Int) -> Int
    ) -> [(place: Place, rows: [Int])] {
        var known: [Place: Int] = [:]
        var groups: [(place: Place, rows: [Int])] = []
        for row in 0..<tree.count where tree.parents[row] >= 0 {
            let place = Place(caller: caller(row), call: calls[row])
            guard place.caller >= 0 else { continue }
            if let group = known[place] {
                groups[group].rows.append(row)
            } else {
                known[place] = groups.count
                groups.append((place, [row]))
            }
        }
        return groups
    }

    /// For each row the row of the span that entered its service: the highest one up to which all are of that service.
    private static func entries(_ tree: TraceTree) -> [Int] {
        var entries: [Int] = []
        entries.reserveCapacity(tree.count)
        for row in 0..<tree.count {
            let parent = Int(tree.parents[row])
            let isEntry = parent < 0 || tree.serviceIndexes[parent] != tree.serviceIndexes[row]
            entries.append(isEntry ? row : entries[parent])
        }
        return entries
    }

    private func finding(
        _ scope: Scope,
        _ place: Place,
        _ rows: [Int],
        _ reader: CallReader,
        _ thresholds: Thresholds
    ) -> Finding? {
        guard rows.count >= max(thresholds.countMin, 2) else { return nil }
        let times = reader.times(of: rows, within: place.caller)
        guard times.share >= thresholds.shareMin else { return nil }
        return Finding(
            scope: scope,
            caller: place.caller,
            call: reader.calls[place.call],
            count: rows.count,
            totalNanos: times.total,
            coveredNanos: times.covered,
            share: times.share
        )
    }
}

/// Tells which rows of a tree make the same call.
private struct CallReader {
    private(set) var calls: [RepeatedCalls.Call] = []
    private let tree: TraceTree
    private let batch: SpanBatch
    private var numbers: [Key: Int] = [:]
    private var keys = KnownKeys(Peer.Key.allCases.map(\.name) + ["db.query.text", "db.statement"])
    /// By ref, so that each text is looked at once.
    private var nameShapes: [SpanBatch.Ref: Int] = [:]
    private var statementShapes: [SpanBatch.Ref: Int] = [:]
    private var shapes: [String] = [""]
    private var shapeNumbers: [ExactText: Int] = [ExactText(""): 0]

    private struct Key: Hashable {
        var service: UInt32
        var name: Int
        var statement: Int
        /// Of the value; 0 for none.
        var peer: SpanBatch.Ref
    }

    init(_ tree: TraceTree, _ batch: SpanBatch) {
        self.tree = tree
        self.batch = batch
        keys.open(batch)
    }

    /// The number of the call that the span at `row` is.
    mutating func number(at row: Int) -> Int {
        let batchRow = Int(tree.batchRows[row])
        var statement: SpanBatch.Ref = 0
        var present: UInt16 = 0
        var peers: [Peer.Key: SpanBatch.Ref] = [:]
        for pair in batch.attributes.range(of: batchRow) {
            guard let number = keys.number(batch.attributes.keyRefs[pair], in: batch) else { continue }
            let value = batch.attributes.valueRefs[pair]
            guard case .string(let text) = batch.dictionary.value(value), !text.isEmpty else { continue }
            if let key = Peer.Key(rawValue: UInt8(number)) {
                present |= key.bit
                if peers[key] == nil { peers[key] = value }
            } else {
                statement = value
            }
        }
        let isMessage = batch.kinds[batchRow] == Span.Kind.producer.rawValue
        let peer = Peer(isMessage: isMessage, present: present).flatMap { peers[$0.key] }
        let key = Key(
            service: tree.serviceIndexes[row],
            name: shape(ofName: batch.nameRefs[batchRow]),
            statement: statement == 0 ? 0 : shape(ofStatement: statement),
            peer: peer ?? 0
        )
        if let number = numbers[key] { return number }
        numbers[key] = calls.count
        calls.append(
            RepeatedCalls.Call(
                name: OperationName(service: tree.name(at: row).service, operation: shapes[key.name]),
                statement: shapes[key.statement],
                peer: peer.map(text(of:)) ?? ""
            )
        )
        return calls.count - 1
    }

    /// Whether the span at `row`, which has a parent, asks something beyond its parent's service. Of a call with a span at
    /// either end the calling one does.
    func leavesService(_ row: Int) -> Bool {
        let parent = Int(tree.parents[row])
        return isCalling(row) || (tree.serviceIndexes[row] != tree.serviceIndexes[parent] && !isCalling(parent))
    }

    private func isCalling(_ row: Int) -> Bool {
        let kind = batch.kinds[Int(tree.batchRows[row])]
        return kind == Span.Kind.client.rawValue || kind == Span.Kind.producer.rawValue
    }

    /// How long spans took together, how long at least one of them was running within the caller's time, and what part
    /// of that time this is.
    func times(of rows: [Int], within caller: Int) -> (total: UInt64, covered: UInt64, share: Double) {
        let callerRow = Int(tree.batchRows[caller])
        let (start, end) = (batch.startUnixNanos[callerRow], batch.endUnixNanos(at: callerRow))
        var total: UInt64 = 0
        var covered: UInt64 = 0
        var coveredTo = start
        let batchRows = rows.map { Int(tree.batchRows[$0]) }
        for row in batchRows.sorted(by: { batch.startUnixNanos[$0] < batch.startUnixNanos[$1] }) {
            total.add(clamping: batch.durationNanos[row])
            let from = max(batch.startUnixNanos[row], coveredTo)
            let to = min(batch.endUnixNanos(at: row), end)
            guard to > from else { continue }
            covered += to - from
            coveredTo = to
        }
        return (total, covered, end > start ? Double(covered) / Double(end - start) : 0)
    }

    private mutating func shape(ofName ref: SpanBatch.Ref) -> Int {
        if let known = nameShapes[ref] { return known }
        let number = number(ofShape: TextShape.name(batch.dictionary.string(ref)))
        nameShapes[ref] = number
        return number
    }

    private mutating func shape(ofStatement ref: SpanBatch.Ref) -> Int {
        if let known = statementShapes[ref] { return known }
        let number = number(ofShape: TextShape.statement(text(of: ref)))
        statementShapes[ref] = number
        return number
    }

    private mutating func number(ofShape shape: String) -> Int {
        if let known = shapeNumbers[ExactText(shape)] { return known }
        shapeNumbers[ExactText(shape)] = shapes.count
        shapes.append(shape)
        return shapes.count - 1
    }

    private func text(of value: SpanBatch.Ref) -> String {
        if case .string(let text) = batch.dictionary.value(value) { text } else { "" }
    }
}
