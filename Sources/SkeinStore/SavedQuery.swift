// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Synchronization

/// A query that somebody keeps under a name.
package struct SavedQuery: Hashable, Sendable {
    /// Most saved queries.
    package static let countMax = 1_000
    /// Bytes of a name, at least 1.
    package static let nameBytesMax = 100
    /// Bytes of the text of a query.
    package static let queryBytesMax = 16 << 10
    /// Bytes of what people say about it.
    package static let descriptionBytesMax = 1_000

    package var name: String
    package var query: String
    package var description: String
    /// When it was saved last, nanoseconds since 1970.
    package var savedUnixNanos: UInt64

    package init(name: String, query: String, description: String = "", savedUnixNanos: UInt64) {
        self.name = name
        self.query = query
        self.description = description
        self.savedUnixNanos = savedUnixNanos
    }

    /// Throws ``StoreError/Code/limit`` when a part is too long, or nothing is named.
    package func check() throws(StoreError) {
        let parts = [
            ("name", name, Self.nameBytesMax), ("query", query, Self.queryBytesMax),
            ("description", description, Self.descriptionBytesMax),
        ]
        for (part, text, limit) in parts where text.utf8.count > limit {
            throw StoreError(.limit, "the \(part) has \(text.utf8.count) bytes, at most \(limit) are kept: shorten it")
        }
        if name.isEmpty { throw StoreError(.limit, "a saved query needs a name of 1 to \(Self.nameBytesMax) bytes") }
    }
}

/// Where saved queries are kept.
package protocol SavedQueries: Sendable {
    /// All of them, by name.
    func all() -> [SavedQuery]

    /// Keeps a query, in the place of one of the same name. Throws ``StoreError/Code/limit`` when there are
    /// ``SavedQuery/countMax`` others, and what the disk says.
    func save(_ query: SavedQuery) throws(StoreError)

    /// Forgets the query of that name. Returns whether there was one.
    func remove(_ name: String) throws(StoreError) -> Bool
}

/// Saved queries by name, in memory.
package struct SavedQueryList: Hashable, Sendable {
    private var queries: [SavedQuery] = []

    package init() {}

    /// By name.
    package var all: [SavedQuery] { queries }

    /// Adds a query, in the place of one of the same name.
    package mutating func save(_ query: SavedQuery) throws(StoreError) {
        try query.check()
        if let place = queries.firstIndex(where: { $0.name.isExactly(query.name) }) {
            queries[place] = query
            return
        }
        guard queries.count < SavedQuery.countMax else {
            throw StoreError(.limit, "\(SavedQuery.countMax) queries are saved, which is the limit: remove one first")
        }
        let place = queries.firstIndex { query.name.precedes($0.name) } ?? queries.count
        queries.insert(query, at: place)
    }

    /// Forgets the query of that name. Returns whether there was one.
    package mutating func remove(_ name: String) -> Bool {
        guard let place = queries.firstIndex(where: { $0.name.isExactly(name) }) else { return false }
        queries.remove(at: place)
        return true
    }
}

/// Saved queries that go with the process.
package final class MemorySavedQueries: SavedQueries {
    private let list = Mutex(SavedQueryList())

    package init() {}

    package func all() -> [SavedQuery] { list.withLock { $0.all } }
    package func save(_ query: SavedQuery) throws(StoreError) {
        try list.withLock { list throws(StoreError) in try list.save(query) }
    }
    package func remove(_ name: String) -> Bool { list.withLock { $0.remove(name) } }
}
