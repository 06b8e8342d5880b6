// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What the names of spans tell when many are seen together.
struct NameHygiene: Sendable {
    /// Different names of one shape, of which a number may be part of the name, that make it one with ids.
    private static let distinctNamesMin = 3
    /// A habit is what four of five names do, of at least this many.
    private static let habitNamesMin = 5
    private static let nameBytesMax = 100
    private static let wordCountMax = 6

    private var groups = BoundedGroups<OperationName, Seen>(limit: 10_000)

    var byteCount: Int { groups.values.count * 768 }

    /// Names of one shape.
    private struct Seen: Sendable {
        /// The first few in order.
        var names: Set<ExactText> = []
        var figures = HygieneFigures()
    }

    mutating func add(_ tree: TraceTree, _ batch: SpanBatch) {
        let (numbers, names) = tree.operationNames()
        var figures = [HygieneFigures](repeating: HygieneFigures(), count: names.count)
        for row in 0..<tree.count { figures[numbers[row]].add(Int(tree.batchRows[row]), of: batch) }
        var found: [OperationName: Seen] = [:]
        for (name, figures) in zip(names, figures) {
            let shape = OperationName(service: name.service, operation: TextShape.name(name.operation))
            Self.add(Seen(names: [ExactText(name.operation)], figures: figures), to: &found[shape, default: Seen()])
        }
        for (shape, var seen) in found {
            seen.figures = seen.figures.ofOneTrace
            groups.update(shape, first: Seen()) { Self.add(seen, to: &$0) }
        }
    }

    mutating func merge(_ other: NameHygiene) { groups.merge(other.groups, first: Seen(), { Self.add($1, to: &$0) }) }

    private static func add(_ other: Seen, to seen: inout Seen) {
        seen.figures.add(other.figures)
        seen.names.formUnion(other.names)
        // The same are left whatever the order in which they came.
        while seen.names.count > distinctNamesMin, let last = seen.names.max(by: { $0.text < $1.text }) {
            seen.names.remove(last)
        }
    }

    var findings: [HygieneFinding] {
        let dotted = Self.dottedServices(groups.values.keys)
        return groups.values.compactMap { name, seen in
            if let what = Self.cardinality(name.operation, seen.names) {
                return seen.figures.finding(.highCardinalityName, name, what)
            }
            if let what = Self.oddity(name.operation) ?? Self.offHabit(name, dotted) {
                return seen.figures.finding(.unusualName, name, what)
            }
            return Self.mixture(name.operation).map { seen.figures.finding(.mixedOperations, name, $0) }
        }
    }

    // MARK: Rules

    /// Ids in a name: such as nobody names an operation by, or of which several were seen.
    private static func cardinality(_ shape: String, _ names: Set<ExactText>) -> String? {
        let isCertain = ["<uuid>", "<hex>", "<id>", "<ip>"].contains { shape.contains($0) }
        guard isCertain || (shape.contains("<number>") && names.count >= distinctNamesMin) else { return nil }
        // The same whatever the order in which they came.
        let examples = names.map(\.text).sorted().prefix(2).map { "\u{201c}\($0.prefix(nameBytesMax))\u{201d}" }
        return "Names carry values, as in \(examples.joined(separator: " and "))."
    }

    private static func oddity(_ name: String) -> String? {
        if name.isEmpty { return "The span has no name." }
        if vague.contains(name.lowercased()) { return "The name could be any operation's." }
        if name.utf8.count > nameBytesMax { return "The name is longer than \(nameBytesMax) bytes." }
        let wordCount = name.split(separator: " ").count
        return wordCount > wordCountMax ? "The name is \(wordCount) words long." : nil
    }

    private static let vague: Set<String> = [
        "span", "request", "http request", "http", "function", "handler", "handle", "operation", "unknown", "default",
        "main",
        "test", "query", "call", "task", "run", "process", "execute", "anonymous", "middleware",
    ]

    /// Several operations in one name. A statement may say "and", too.
    private static func mixture(_ name: String) -> String? {
        let joins = [" and ", " then ", " & ", " + "]
        let first = name.prefix { $0 != " " }
        let isStatement = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE"].contains(first.uppercased())
        guard !isStatement, joins.contains(where: { name.contains($0) }) else { return nil }
        return "The name joins several operations."
    }

    // MARK: Habit

    /// Services most of whose names are written as in `cart.add_item`. Names by the conventions of protocols, which have
    /// blanks or slashes, are not counted.
    private static func dottedServices(_ names: some Sequence<OperationName>) -> Set<ExactText> {
        var counts: [ExactText: (dotted: Int, all: Int)] = [:]
        for name in names where isOwn(name.operation) {
            counts[ExactText(name.service), default: (0, 0)].all += 1
            if isDotted(name.operation) { counts[ExactText(name.service), default: (0, 0)].dotted += 1 }
        }
        return Set(counts.filter { $0.value.all >= habitNamesMin && $0.value.dotted * 5 >= $0.value.all * 4 }.keys)
    }

    private static func offHabit(_ name: OperationName, _ dotted: Set<ExactText>) -> String? {
        guard isOwn(name.operation), !isDotted(name.operation), dotted.contains(ExactText(name.service)) else {
            return nil
        }
        return "Most names of the service are written as service.operation, this one is not."
    }

    private static func isOwn(_ name: String) -> Bool { !name.utf8.contains { $0 == 0x20 || $0 == 0x2f } }

    private static func isDotted(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count >= 2 && parts.allSatisfy { !$0.isEmpty }
    }
}
