// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The distinct texts of one column of one row group, in order of first appearance. They stay in the section's arena;
/// an entry is the first slot that had the text. Slots met before cost one load.
struct LocalDictionary: ~Copyable {
    /// By slot: the turn in which it was met, then its number.
    private var memo = ColumnBuffer<UInt64>()
    private var turn: UInt64 = 0
    private var slots = ColumnBuffer<UInt64>(repeating: 0, count: 64)
    private var mask = 63
    private var known = ColumnBuffer<UInt32>()
    private let seed = Hash.processSeed

    init() {}

    var entries: UnsafeBufferPointer<UInt32> { known.elements }

    mutating func use(slotCount: Int) {
        memo.reset(repeating: 0, count: slotCount)
        turn = 0
    }

    mutating func removeAll() {
        turn += 1
        known.removeAll()
        mask = 63
        slots.reset(repeating: 0, count: 64)
    }

    @inline(__always)
    mutating func number(of slot: UInt32, _ arena: borrowing BlockSection.SlotArena) -> UInt32 {
        precondition(Int(slot) < memo.count)
        let seen = memo.base[Int(slot)]
        if seen >> 32 == turn { return UInt32(truncatingIfNeeded: seen) }
        return find(slot, arena)
    }

    @inline(never)
    private mutating func find(_ slot: UInt32, _ arena: borrowing BlockSection.SlotArena) -> UInt32 {
        let bytes = arena.entry(slot)
        let hash = Hash.of(bytes, seed: seed)
        let tag = hash & 0xffff_ffff_0000_0000
        var at = Int(truncatingIfNeeded: hash) & mask
        while slots.base[at] != 0 {
            if slots.base[at] & 0xffff_ffff_0000_0000 == tag {
                let number = UInt32(truncatingIfNeeded: slots.base[at]) - 1
                if bytes.isSame(as: arena.entry(known[Int(number)])) {
                    memo.base[Int(slot)] = turn << 32 | UInt64(number)
                    return number
                }
            }
            at = (at + 1) & mask
        }
        let number = UInt32(known.count)
        known.append(slot)
        slots.base[at] = tag | UInt64(number + 1)
        memo.base[Int(slot)] = turn << 32 | UInt64(number)
        if known.count * 2 > mask { grow(arena) }
        return number
    }

    private mutating func grow(_ arena: borrowing BlockSection.SlotArena) {
        mask = mask * 4 + 3
        slots.reset(repeating: 0, count: mask + 1)
        for number in 0..<known.count {
            let hash = Hash.of(arena.entry(known[number]), seed: seed)
            var at = Int(truncatingIfNeeded: hash) & mask
            while slots.base[at] != 0 { at = (at + 1) & mask }
            slots.base[at] = hash & 0xffff_ffff_0000_0000 | UInt64(number + 1)
        }
    }
}
