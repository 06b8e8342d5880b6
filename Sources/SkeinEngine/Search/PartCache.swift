// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Decoded parts of blocks in memory, the least recently used ones going first when they take more than a budget.
final class PartCache: ChunkCache {
    /// What the cache did so far.
    struct Figures {
        var hitCount = 0
        var missCount = 0
        var byteCount = 0
    }

    fileprivate struct Key: Hashable {
        var block: UInt64
        var offset: Int
    }

    /// One part in the list from most to least recently used.
    fileprivate struct Entry {
        var key: Key
        var part: (any CachedPart)?
        var byteCount: Int
        var newer: Int
        var older: Int
    }

    fileprivate struct State {
        var places: [Key: Int] = [:]
        var entries: [Entry] = []
        var free: [Int] = []
        var newest = -1
        var oldest = -1
        var figures = Figures()
    }

    /// What an entry costs beside its part.
    private static let entryByteCount = 160

    private let byteCountMax: Int
    private let state = Mutex(State())

    /// A cache that holds at most `byteCountMax` bytes.
    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    var figures: Figures { state.withLock { $0.figures } }

    func part(of block: UInt64, at offset: Int) -> (any CachedPart)? {
        state.withLock { state -> (any CachedPart)? in
            guard let place = state.places[Key(block: block, offset: offset)] else {
                state.figures.missCount += 1
                return nil
            }
            state.figures.hitCount += 1
            if state.newest != place {
                state.unlink(place)
                state.linkNewest(place)
            }
            return state.entries[place].part
        }
    }

    func keep(_ part: any CachedPart, of block: UInt64, at offset: Int) {
        let byteCount = part.byteCount + Self.entryByteCount
        // One part must not drive out everything else.
        guard byteCount <= byteCountMax / 2 else { return }
        // Parts that go are freed outside the lock.
        var dropped: [any CachedPart] = []
        state.withLock { state in
            let key = Key(block: block, offset: offset)
            guard state.places[key] == nil else { return }
            while state.figures.byteCount + byteCount > byteCountMax, state.oldest >= 0 {
                if let part = state.remove(state.oldest) { dropped.append(part) }
            }
            let entry = Entry(key: key, part: part, byteCount: byteCount, newer: -1, older: -1)
            let place: Int
            if let free = state.free.popLast() {
                place = free
                state.entries[free] = entry
            } else {
                place = state.entries.count
                state.entries.append(entry)
            }
            state.places[key] = place
            state.figures.byteCount += byteCount
            state.linkNewest(place)
        }
    }

    /// Forgets the parts of a block that is gone.
    func forget(block: UInt64) {
        var dropped: [any CachedPart] = []
        state.withLock { state in
            for (key, place) in state.places where key.block == block {
                if let part = state.remove(place) { dropped.append(part) }
            }
        }
    }
}

extension PartCache.State {
    fileprivate mutating func linkNewest(_ place: Int) {
        entries[place].newer = -1
        entries[place].older = newest
        if newest >= 0 { entries[newest].newer = place }
        newest = place
        if oldest < 0 { oldest = place }
    }

    fileprivate mutating func unlink(_ place: Int) {
        let (newer, older) = (entries[place].newer, entries[place].older)
        if newer >= 0 { entries[newer].older = older } else { newest = older }
        if older >= 0 { entries[older].newer = newer } else { oldest = newer }
    }

    fileprivate mutating func remove(_ place: Int) -> (any CachedPart)? {
        unlink(place)
        places[entries[place].key] = nil
        figures.byteCount -= entries[place].byteCount
        let part = entries[place].part
        entries[place].part = nil
        free.append(place)
        return part
    }
}
