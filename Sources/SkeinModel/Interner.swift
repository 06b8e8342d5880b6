// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Gives equal byte strings equal numbers, in order of first appearance; number 0 is the empty string.
///
/// Open addressing with linear probing, at most half full; a slot holds the high half of the hash beside the number, so
/// that a probe seldom touches the arena.
package struct Interner: ~Copyable {
    private var slots: [UInt64]
    private var mask: Int
    private var offsets: [UInt32] = [0, 0]
    private var arena = ByteWriter(capacity: 4096)

    /// An interner that knows only the empty string.
    package init() {
        slots = [UInt64](repeating: 0, count: 256)
        mask = 255
    }

    /// Number of distinct strings, the empty one included.
    package var count: Int { offsets.count - 1 }

    /// The number of `bytes`, and whether they were not known before.
    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (ref: UInt32, isNew: Bool) {
        guard !bytes.isEmpty else { return (0, false) }
        let hash = Hash.of(bytes)
        let tag = hash & 0xffff_ffff_0000_0000
        var at = Int(truncatingIfNeeded: hash) & mask
        while slots[at] != 0 {
            if slots[at] & 0xffff_ffff_0000_0000 == tag {
                let ref = UInt32(truncatingIfNeeded: slots[at])
                if equal(ref, bytes) { return (ref, false) }
            }
            at = (at + 1) & mask
        }
        let ref = UInt32(count)
        arena.append(bytes)
        offsets.append(UInt32(arena.count))
        slots[at] = tag | UInt64(ref)
        if count * 2 > slots.count { grow() }
        return (ref, true)
    }

    /// Hands out the dictionary and starts anew.
    package mutating func finish() -> ByteDictionary {
        let dictionary = ByteDictionary(offsets: offsets, bytes: arena.array())
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
        offsets.append(0)
        arena.removeAll()
        slots.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        return dictionary
    }

    private func equal(_ ref: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = Int(offsets[Int(ref)])
        let end = Int(offsets[Int(ref) + 1])
        guard end - start == bytes.count else { return false }
        return UnsafeRawBufferPointer(rebasing: arena.bytes[start..<end]).elementsEqual(bytes)
    }

    private mutating func grow() {
        mask = slots.count * 2 - 1
        slots = [UInt64](repeating: 0, count: mask + 1)
        for ref in 1..<count {
            let entry = UnsafeRawBufferPointer(rebasing: arena.bytes[Int(offsets[ref])..<Int(offsets[ref + 1])])
            let hash = Hash.of(entry)
            var at = Int(truncatingIfNeeded: hash) & mask
            while slots[at] != 0 { at = (at + 1) & mask }
            slots[at] = hash & 0xffff_ffff_0000_0000 | UInt64(ref)
        }
    }
}
