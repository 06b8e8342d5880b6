// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
package import SkeinStore

/// Finds the rows of a block that start in a range and satisfy a condition, one row group at a time.
///
/// Reads only columns that the condition names, and of those only what it must: a dictionary before its rows, and
/// nothing of a group that its zone map rules out. Make one per query and block; it is not for sharing between tasks.
package struct BlockScan {
    private let block: Block
    private let range: TimeRange
    private let predicate: CompiledPredicate
    private var answers: TableAnswers

    /// A scan of `block`. Reads nothing yet.
    package init(_ block: Block, range: TimeRange, predicate: CompiledPredicate) {
        self.block = block
        self.range = range
        self.predicate = predicate
        answers = TableAnswers(predicate.leaves)
    }

    /// Whether group `index` may hold a row. Never wrong when it says no; reads the block's tables at most.
    package mutating func mayMatch(group index: Int) throws(StoreError) -> Bool {
        let group = block.footer.groups[index]
        guard range.overlaps(group.start.lowerBound, group.start.upperBound) else { return false }
        return try mayMatch(predicate.root, index)
    }

    /// The rows of group `index`, counted from its first, that match.
    package mutating func rows(inGroup index: Int) throws(StoreError) -> RowSet {
        let group = block.footer.groups[index]
        guard try mayMatch(group: index) else { return RowSet(count: group.rowCount) }
        var columns = GroupScan(block: block, index: index, answers: answers)
        defer { answers = columns.answers }
        var rows = try columns.select(predicate)
        let isInside = range.contains(group.start.lowerBound) && range.contains(group.start.upperBound)
        if !isInside, !rows.isEmpty {
            let starts = try block.starts(
                group,
                try block.directory(ofGroup: index),
                try block.traces(inGroup: index),
                0..<group.rowCount
            )
            let range = range
            rows.formIntersection(RowSet(count: group.rowCount) { range.contains(starts[$0]) })
        }
        return rows
    }

    private mutating func mayMatch(
        _ node: CompiledPredicate.Node,
        _ group: Int
    ) throws(StoreError) -> Bool {
        switch node {
        case .all, .not: return true
        case .and(let parts):
            for part in parts where try !mayMatch(part, group) { return false }
            return true
        case .or(let parts):
            for part in parts where try mayMatch(part, group) { return true }
            return false
        case .leaf(let index): return try mayMatch(predicate.leaves[index], index, group)
        }
    }

    private mutating func mayMatch(
        _ leaf: CompiledPredicate.Leaf,
        _ index: Int,
        _ number: Int
    ) throws(StoreError) -> Bool {
        let group = block.footer.groups[number]
        switch leaf.field {
        case .duration: return leaf.test.map { NanosRange($0.test).overlaps(group.duration) } ?? true
        case .kind:
            guard let test = leaf.test?.test else { return true }
            return Self.any(group.kinds) { test.holds(kind: Span.Kind(rawValue: $0) ?? .unspecified) }
        case .status:
            guard let test = leaf.test?.test else { return true }
            return Self.any(group.statuses) { test.holds(status: Span.Status.Code(rawValue: $0) ?? .unset) }
        case .serviceName, .attribute(.resource, _):
            guard try answers.resources(leaf, index, block).holdsAny else { return false }
            return answers.mayHold(leaf, index, block, number)
        case .scopeName, .scopeVersion, .attribute(.instrumentation, _):
            return try answers.scopes(leaf, index, block).holdsAny
        case .attribute(.any, let key):
            let isOfSpans = try answers.keyNumber(.span, key, index, block) != nil
            guard try isOfSpans ? true : answers.resources(leaf, index, block).holdsAny else { return false }
            return answers.mayHold(leaf, index, block, number)
        case .attribute(let scope, let key):
            guard try answers.keyNumber(scope, key, index, block) != nil else { return false }
            return answers.mayHold(leaf, index, block, number)
        case .name:
            return answers.mayHoldName(leaf, index, block) && answers.mayHold(leaf, index, block, number)
        case .eventName: return answers.mayHold(leaf, index, block, number)
        case .linkTraceID: return !group.filtersLinks || answers.mayHold(leaf, index, block, number)
        default: return true
        }
    }

    private static func any(_ bits: UInt8, _ test: (UInt8) -> Bool) -> Bool {
        (0..<8).contains { bits & 1 << $0 != 0 && test($0) }
    }
}

/// What leaves say of the entries of a block's tables, asked once per block.
struct TableAnswers {
    /// Of the resources or scopes of a block.
    struct Answer {
        var holds: [Bool]
        /// Whether the entry has the attribute at all.
        var has: [Bool]
        var holdsAny: Bool
    }

    private var byLeaf: [Answer?]
    /// The row groups that may hold what a leaf looks for; inner `nil` when filters cannot say.
    private var groups: [RowSet??]
    /// The numbers of the leaves' attribute keys; the inner optional is `nil` when the block lacks the key.
    private var keyNumbers: [UInt32??]
    /// Whether any name of a span in the block satisfies the leaf.
    private var names: [Bool?]

    /// What of a leaf a row that satisfies it has in the filter of its row group: any of these. Empty when filters cannot
    /// say.
    private let hashes: [[UInt64]]

    init(_ leaves: [CompiledPredicate.Leaf]) {
        let leafCount = leaves.count
        hashes = leaves.map { leaf in leaf.test.flatMap { FilterHash.any(of: leaf.field, $0.test) } ?? [] }
        byLeaf = [Answer?](repeating: nil, count: leafCount)
        groups = [RowSet??](repeating: .none, count: leafCount)
        keyNumbers = [UInt32??](repeating: .none, count: leafCount)
        names = [Bool?](repeating: nil, count: leafCount)
    }

    /// Whether a span of the block may have a name that the leaf looks for: its table of operations says so where filters cannot,
    /// which know whole names only. `true` when the table is too large to be read for this, or cannot be read.
    mutating func mayHoldName(_ leaf: CompiledPredicate.Leaf, _ index: Int, _ block: Block) -> Bool {
        guard let test = leaf.test?.test, hashes[index].isEmpty else { return true }
        if let known = names[index] { return known }
        var holds = block.footer.operations.rawCount > Self.operationByteCountMax
        if !holds {
            do throws(StoreError) {
                try block.forEachOperation { _, _, name, _ in holds = holds || test.holds(text: name) }
            } catch {
                holds = true
            }
        }
        names[index] = holds
        return holds
    }

    /// Some ten thousand operations.
    private static let operationByteCountMax = 1 << 20

    /// Whether the filter of row group `group` lets it hold what the leaf looks for.
    mutating func mayHold(
        _ leaf: CompiledPredicate.Leaf,
        _ index: Int,
        _ block: Block,
        _ group: Int
    ) -> Bool {
        if let known = groups[index] { return known?[group] ?? true }
        var found: RowSet?
        for hash in hashes[index] {
            let holding = block.groups(holding: hash)
            if found?.formUnion(holding) == nil { found = holding }
        }
        groups[index] = .some(found)
        return found?[group] ?? true
    }

    /// The number of a leaf's key among those of spans, events or links; `nil` when no row of the block has it.
    mutating func keyNumber(
        _ scope: AttributeScope,
        _ key: String,
        _ index: Int,
        _ block: Block
    ) throws(StoreError) -> UInt32? {
        if let known = keyNumbers[index] { return known }
        let number = try block.keyTable().number(scope, key)
        keyNumbers[index] = .some(number)
        return number
    }

    mutating func resources(
        _ leaf: CompiledPredicate.Leaf,
        _ index: Int,
        _ block: Block
    ) throws(StoreError) -> Answer {
        if let known = byLeaf[index] { return known }
        let answer = Self.ask(leaf, try block.resourceTable())
        byLeaf[index] = answer
        return answer
    }

    mutating func scopes(_ leaf: CompiledPredicate.Leaf, _ index: Int, _ block: Block) throws(StoreError) -> Answer {
        if let known = byLeaf[index] { return known }
        let answer = Self.ask(leaf, try block.scopeTable())
        byLeaf[index] = answer
        return answer
    }

    private static func ask(_ leaf: CompiledPredicate.Leaf, _ table: OwnerTable) -> Answer {
        var answer = Answer(holds: [], has: [], holdsAny: false)
        for entry in table.entries {
            var has = true
            var holds = true
            switch leaf.field {
            case .attribute(_, let key):
                let pair = entry.attributes.first { table.bytes[$0.key].elementsEqual(key.utf8) }
                has = pair != nil
                holds =
                    pair.map { pair in
                        table.withBytes(pair.value) { bytes in leaf.test.map { $0.holds(bytes) } ?? !bytes.isEmpty }
                    } ?? false
            case .scopeVersion:
                if let test = leaf.test?.test { holds = table.withBytes(entry.texts[1]) { test.holds(text: $0) } }
            default:
                // Service name of a resource, name of a scope.
                if let test = leaf.test?.test { holds = table.withBytes(entry.texts[0]) { test.holds(text: $0) } }
            }
            answer.has.append(has)
            answer.holds.append(holds)
            answer.holdsAny = answer.holdsAny || holds
        }
        return answer
    }
}

/// One row group, as the predicate's leaves see it.
private struct GroupScan: PredicateColumns {
    let block: Block
    let index: Int
    var answers: TableAnswers

    private var group: BlockFooter.Group { block.footer.groups[index] }
    private var reader: ChunkReader { block.reader }
    var rowCount: Int { group.rowCount }

    init(block: Block, index: Int, answers: TableAnswers) {
        self.block = block
        self.index = index
        self.answers = answers
    }

    mutating func select(_ leaf: CompiledPredicate.Leaf, _ leafIndex: Int) throws(StoreError) -> RowSet {
        let directory = try block.directory(ofGroup: index)
        switch leaf.field {
        case .attribute(.resource, _):
            return try select(directory.resources, try answers.resources(leaf, leafIndex, block).holds)
        case .attribute(.instrumentation, _):
            return try select(directory.scopes, try answers.scopes(leaf, leafIndex, block).holds)
        case .attribute(.any, let key):
            let number = try answers.keyNumber(.span, key, leafIndex, block)
            let span = try AttributeScan(directory.attributes, number, reader).select(leaf.test, wantsPresence: true)
            let answer = try answers.resources(leaf, leafIndex, block)
            guard answer.holdsAny else { return span.holds }
            var rows = try select(directory.resources, answer.holds)
            rows.subtract(span.has)
            rows.formUnion(span.holds)
            return rows
        case .attribute(.event, let key):
            let number = try answers.keyNumber(.event, key, leafIndex, block)
            let events = try AttributeScan(directory.eventAttributes, number, reader).select(leaf.test)
            return try owners(of: events.holds, directory.eventCounts, directory.eventCount)
        case .eventName:
            guard directory.eventCount > 0 else { return RowSet(count: rowCount) }
            let count = directory.eventCount
            let events =
                try leaf.test.map { test throws(StoreError) in
                    try select(directory.eventNames, count, test.test)
                } ?? RowSet(count: count, all: true)
            return try owners(of: events, directory.eventCounts, count)
        case .linkTraceID:
            guard directory.linkCount > 0 else { return RowSet(count: rowCount) }
            let links =
                try leaf.test.map { test throws(StoreError) in try selectLinks(directory, test.test) }
                ?? RowSet(count: directory.linkCount, all: true)
            return try owners(of: links, directory.linkCounts, directory.linkCount)
        case .attribute(.link, let key):
            let number = try answers.keyNumber(.link, key, leafIndex, block)
            let links = try AttributeScan(directory.linkAttributes, number, reader).select(leaf.test)
            return try owners(of: links.holds, directory.linkCounts, directory.linkCount)
        case .attribute(let scope, let key):
            let number = try answers.keyNumber(scope, key, leafIndex, block)
            return try AttributeScan(directory.attributes, number, reader).select(leaf.test).holds
        default: break
        }
        guard let test = leaf.test?.test else { return RowSet(count: rowCount, all: true) }
        switch leaf.field {
        case .serviceName:
            return try select(directory.resources, try answers.resources(leaf, leafIndex, block).holds)
        case .scopeName, .scopeVersion:
            return try select(directory.scopes, try answers.scopes(leaf, leafIndex, block).holds)
        case .duration:
            let range = NanosRange(test)
            return try select(directory.durations) { range.contains($0) }
        case .kind:
            return try select(directory.kinds) {
                test.holds(kind: Span.Kind(rawValue: UInt8(truncatingIfNeeded: $0)) ?? .unspecified)
            }
        case .status:
            return try select(directory.statuses) {
                test.holds(status: Span.Status.Code(rawValue: UInt8(truncatingIfNeeded: $0)) ?? .unset)
            }
        case .name: return try select(directory.names, rowCount, test)
        case .statusMessage: return try select(directory.statusMessages, rowCount, test)
        case .traceID: return try selectTraces(test)
        case .spanID:
            return try select(directory.spanIDs) { test.holds(.string(SpanID($0).description)) }
        case .parentSpanID:
            let ids = try block.parentIDs(group, directory, 0..<rowCount)
            return RowSet(count: rowCount) { test.holds(.string(ids[$0].textIfValid)) }
        case .eventName, .linkTraceID, .attribute: return RowSet(count: rowCount)
        }
    }

    /// Rows whose number satisfies the test.
    @inline(__always)
    private func select(_ column: NumberColumn, _ test: (UInt64) -> Bool) throws(StoreError) -> RowSet {
        let numbers = try reader.numbers(column)
        if numbers.values.isEmpty { return RowSet(count: rowCount, all: test(numbers.constant)) }
        return numbers.values.withUnsafeBufferPointer { values in RowSet(count: rowCount) { test(values[$0]) } }
    }

    /// Rows whose entry of a table satisfies the leaf.
    private func select(_ column: NumberColumn, _ holds: [Bool]) throws(StoreError) -> RowSet {
        let numbers = try reader.numbers(column)
        let count = UInt64(holds.count)
        guard numbers.constant < count || !numbers.values.isEmpty, numbers.values.allSatisfy({ $0 < count }) else {
            throw reader.corrupt("a span has a resource or scope that the block lacks", at: column.chunk.offset)
        }
        return try select(column) { holds[Int(truncatingIfNeeded: $0)] }
    }

    /// Which of the `count` texts of a column satisfy the test.
    private func select(_ column: TextColumn, _ count: Int, _ test: ValueTest) throws(StoreError) -> RowSet {
        switch try reader.texts(column) {
        case .empty, .ints, .doubles:
            return RowSet(count: count, all: test.holds(text: UnsafeRawBufferPointer(start: nil, count: 0)))
        case .dictionary(let entries, _, let dictionary):
            let holds = (0..<UInt32(dictionary.count)).map { dictionary.withBytes($0) { test.holds(text: $0) } }
            if entries.isEmpty { return RowSet(count: count, all: holds[0]) }
            return RowSet(count: count) { holds[Int(entries[$0])] }
        }
    }

    /// Rows of the traces whose id's text satisfies the test.
    private func selectTraces(_ test: ValueTest) throws(StoreError) -> RowSet {
        let traces = try block.traces(inGroup: index)
        let holds = traces.ids.map { test.holds(.string($0.description)) }
        var trace = 0
        let first = group.firstRow
        return RowSet(count: rowCount) { row in
            while first + row >= traces.firstRows[trace + 1] { trace += 1 }
            return holds[trace]
        }
    }

    /// Links to a trace whose id satisfies the test.
    private func selectLinks(_ directory: GroupDirectory, _ test: ValueTest) throws(StoreError) -> RowSet {
        let highs = try reader.numbers(directory.linkTraceHighs)
        let lows = try reader.numbers(directory.linkTraceLows)
        return RowSet(count: directory.linkCount) { test.holds(TraceID(high: highs[$0], low: lows[$0])) }
    }

    /// The spans that own any of these events or links.
    private func owners(of children: RowSet, _ column: NumberColumn, _ total: Int) throws(StoreError) -> RowSet {
        guard total > 0, !children.isEmpty else { return RowSet(count: rowCount) }
        let part = try block.children(column, total, 0..<rowCount)
        return RowSet(count: rowCount) { row in
            (part.starts[row]..<(part.starts[row] + part.counts[row])).contains { children[$0] }
        }
    }
}
