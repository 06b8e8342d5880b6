// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Synchronization

/// The names in everything that is stored: services, their operations, attribute keys.
///
/// Blocks do not change, so what their tables say together is kept until another block comes or one goes; a head part's
/// names are kept beside it. A list that is too long to be kept is put together at each question, in as much memory as the
/// answer takes.
final class StoreNames: Sendable {
    /// A list of the same blocks and the same names in the head.
    private struct Joined {
        var blocksVersion: UInt64
        var headVersions: [UInt64]
        /// Counts of blocks alone; `nil` when there are too many names.
        var names: NameTable?
    }

    /// A list of the same blocks.
    private struct OfBlocks {
        var version: UInt64
        var names: NameTable?
    }

    private struct State {
        var ofBlocks: OfBlocks?
        var joined: Joined?
    }

    private let services = Mutex(State())
    private let operations = Mutex(State())
    private let keys = Mutex(State())

    init() {}

    private func withState<R>(_ list: NameListKind, _ body: (inout State) -> R) -> R {
        switch list {
        case .services: services.withLock { body(&$0) }
        case .operations: operations.withLock { body(&$0) }
        case .keys: keys.withLock { body(&$0) }
        }
    }

    /// Service names, the empty one left out.
    func services(
        _ prefix: String,
        _ limit: Int,
        in snapshot: Contents.Snapshot,
        _ cancellation: Cancellation
    ) throws(StoreError) -> NameList<String> {
        if let names = try table(.services, snapshot, cancellation).names {
            var range = names.range(owner: "", prefix: prefix)
            if let first = range.first, names.keys[first].name.isEmpty { range = (first + 1)..<range.upperBound }
            return NameList(names.keys[range].prefix(limit).map(\.name), isCut: range.count > limit)
        }
        var least = LeastNames(prefix: prefix, limit: limit)
        try Self.forEachOperation(snapshot, cancellation) { _, service, _, _ in
            if !service.isEmpty { least.add(service, NameFacts()) }
        }
        let (names, isCut) = least.finish()
        return NameList(names.map(\.key.name), isCut: isCut)
    }

    /// The operations of a service.
    func operations(
        of service: String,
        _ prefix: String,
        _ limit: Int,
        in snapshot: Contents.Snapshot,
        _ cancellation: Cancellation
    ) throws(StoreError) -> NameList<Operation> {
        func operation(_ key: NameKey) -> Operation { Operation(name: key.name, kind: Span.Kind(stored: key.tag)) }
        if let names = try table(.operations, snapshot, cancellation).names {
            let range = names.range(owner: service, prefix: prefix)
            return NameList(names.keys[range].prefix(limit).map(operation), isCut: range.count > limit)
        }
        var least = LeastNames(prefix: prefix, limit: limit)
        let wanted = Array(service.utf8)
        try Self.forEachOperation(snapshot, cancellation) { kind, service, name, _ in
            if service.elementsEqual(wanted) { least.add(name, tag: Span.Kind(stored: kind).rawValue, NameFacts()) }
        }
        let (names, isCut) = least.finish()
        return NameList(names.map { operation($0.key) }, isCut: isCut)
    }

    /// Attribute keys.
    func keys(
        _ prefix: String,
        _ limit: Int,
        in snapshot: Contents.Snapshot,
        _ cancellation: Cancellation
    ) throws(StoreError) -> NameList<AttributeKey> {
        let spanCount =
            snapshot.blocks.reduce(0) { $0 + $1.footer.spanCount } + snapshot.head.reduce(0) { $0 + $1.rowCount }
        func key(_ key: NameKey, _ facts: NameFacts) -> AttributeKey {
            AttributeKey(
                scope: AttributeScope.allCases[Int(key.tag)],
                name: key.name,
                types: ValueType.allCases.enumerated().filter { facts.types & 1 << UInt8($0.offset) != 0 }.map(
                    \.element
                ),
                spanCount: facts.count,
                totalSpanCount: spanCount
            )
        }
        let (names, heads) = try table(.keys, snapshot, cancellation)
        if let names {
            let range = names.range(owner: "", prefix: prefix)
            let found = range.prefix(limit).map { place in
                var facts = names.facts[place]
                for head in heads { if let more = head.names.keys.names[names.keys[place]] { facts.add(more) } }
                return key(names.keys[place], facts)
            }
            return NameList(found, isCut: range.count > limit)
        }
        var least = LeastNames(prefix: prefix, limit: limit)
        func add(_ scope: AttributeScope, _ name: UnsafeRawBufferPointer, _ types: UInt8, _ count: Int) {
            least.add(name, tag: UInt8(scope.place), NameFacts(count: count, types: types))
        }
        for block in snapshot.blocks {
            try cancellation.check()
            try block.block.forEachKey(add)
        }
        for piece in snapshot.head.flatMap(\.pieces) {
            try cancellation.check()
            piece.batch.forEachKey(0..<piece.batch.count, add)
        }
        let (first, isCut) = least.finish()
        return NameList(first.map { key($0.key, $0.facts) }, isCut: isCut)
    }

    // MARK: Whole lists

    /// All names of a list, with the counts of blocks alone, `nil` when they are too many to be kept; and the names of each
    /// head part.
    private func table(
        _ list: NameListKind,
        _ snapshot: Contents.Snapshot,
        _ cancellation: Cancellation
    ) throws(StoreError) -> (names: NameTable?, heads: [HeadNames.Known]) {
        var heads: [HeadNames.Known] = []
        for part in snapshot.head { heads.append(try part.part.names.names(in: part, cancellation)) }
        let versions = heads.map(\.version)
        let known = withState(list) { state in
            state.joined.flatMap {
                $0.blocksVersion == snapshot.blocksVersion && $0.headVersions == versions ? $0 : nil
            }
        }
        if let known { return (known.names, heads) }
        var names = try ofBlocks(list, snapshot, cancellation)
        for head in heads { names = names.flatMap { names in NameTable(head.names[list]).map(names.joined) } }
        let joined = Joined(blocksVersion: snapshot.blocksVersion, headVersions: versions, names: names)
        withState(list) { $0.joined = joined }
        return (names, heads)
    }

    private func ofBlocks(
        _ list: NameListKind,
        _ snapshot: Contents.Snapshot,
        _ cancellation: Cancellation
    ) throws(StoreError) -> NameTable? {
        let known = withState(list) { state in
            state.ofBlocks.flatMap { $0.version == snapshot.blocksVersion ? $0 : nil }
        }
        if let known { return known.names }
        var all = NameSet(.all)
        var isTooLong = false
        for block in snapshot.blocks {
            try cancellation.check()
            guard let names = try block.names()[list] else {
                isTooLong = true
                break
            }
            for (key, facts) in zip(names.keys, names.facts) { all.add(key, facts) }
            if all.isOverfull { break }
        }
        let names = isTooLong ? nil : NameTable(all)
        withState(list) { $0.ofBlocks = OfBlocks(version: snapshot.blocksVersion, names: names) }
        return names
    }

    /// Calls `body` with every operation of every part, once for each part or more often.
    private static func forEachOperation(
        _ snapshot: Contents.Snapshot,
        _ cancellation: Cancellation,
        _ body: (UInt8, UnsafeRawBufferPointer, UnsafeRawBufferPointer, Int) -> Void
    ) throws(StoreError) {
        for block in snapshot.blocks {
            try cancellation.check()
            try block.block.forEachOperation(body)
        }
        for piece in snapshot.head.flatMap(\.pieces) {
            try cancellation.check()
            piece.batch.forEachOperation(0..<piece.batch.count, body)
        }
    }
}
