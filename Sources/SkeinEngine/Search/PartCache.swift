// SPDX-License-Identifier: Apache-2.0
import SkeinBase
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

    private let budget: ByteBudget
    private let state = Mutex(State())

    /// A cache that holds as much as `budget` has room for, and lets go of what others need.
    init(budget: ByteBudget) { self.budget = budget }

    /// A cache that holds at most `byteCountMax` bytes.
    convenience init(byteCountMax: Int) { self.init(budget: ByteBudget(limit: byteCountMax)) }

    deinit { budget.giveBack(state.withLock { $0.figures.byteCount }) }

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
        guard byteCount <= budget.limit / 4 else { return }
        // Parts that go are freed outside the lock.
        var dropped: [any CachedPart] = []
        state.withLock { state in
            let key = Key(block: block, offset: offset)
            guard state.places[key] == nil else { return }
            while !budget.take(byteCount) {
                guard state.oldest >= 0 else { return }
                if let part = remove(state.oldest, &state) { dropped.append(part) }
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
                if let part = remove(place, &state) { dropped.append(part) }
            }
        }
    }

    /// Lets go of the parts used longest ago, of `byteCount` bytes if it has as many. Some more go, so that it is not asked
    /// for each byte that others need.
    func giveUp(_ byteCount: Int) {
        let byteCount = max(byteCount, 1 << 20)
        var dropped: [any CachedPart] = []
        state.withLock { state in
            let target = state.figures.byteCount - byteCount
            while state.oldest >= 0, state.figures.byteCount > target {
                if let part = remove(state.oldest, &state) { dropped.append(part) }
            }
        }
    }

    private func remove(_ place: Int, _ state: inout State) -> (any CachedPart)? {
        budget.giveBack(state.entries[place].byteCount)
        return state.remove(place)
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
