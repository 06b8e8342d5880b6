// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Gives equal byte strings equal numbers, in order of first appearance; number 0 is the empty string.
///
/// Open addressing with linear probing, at most half full. A slot holds, from the top: 30 bits of the hash, so that a
/// probe seldom touches the arena; two bits for what the string was checked to be (``Role``); 32 bits of number, 0 for a
/// free slot. The hash is seeded per process: a client cannot choose strings that collide.
///
/// Ends of strings are 32-bit numbers, so that all strings together take at most 4 GiB. One that does not fit is not
/// added and gets the number 0; whoever may add that much asks ``isFull`` before using what was interned.
package struct Interner: ~Copyable {
    /// What a string was found to be. A string may be both: `\n\u{1}a` is text, and the value "a".
    package enum Role: UInt64 {
        /// Well-formed UTF-8.
        case text = 0x1_0000_0000
        /// A canonical ``EncodedValue``.
        case value = 0x2_0000_0000
    }

    /// Where a string is or would be; good until the next change.
    struct Place {
        var slot: Int
        var hash: UInt64
    }

    /// The most bytes that the ends of strings can name.
    package static let byteCountMax = Int(UInt32.max)
    /// Slots are numbered with 32 bits and at most half full.
    private static let countMax = 1 << 30
    private static let smallestCapacity = 1024
    private static let tagMask: UInt64 = 0xffff_fffc_0000_0000

    private var slots: UnsafeMutablePointer<UInt64>
    private var mask: Int
    private let seed: UInt64
    /// By number: the index of its slot, so that starting anew costs no more than what was added.
    private var slotOfRef = Column<UInt32>(capacity: 256)
    private var offsets = Column<UInt32>(capacity: 256)
    private var arena = ByteWriter(capacity: 4096)
    private let byteCountMax: Int
    /// Whether a string was left out since the start because it did not fit.
    package private(set) var isFull = false

    /// An interner that knows only the empty string, and takes strings of at most `byteCountMax` bytes together.
    package init(byteCountMax: Int = Self.byteCountMax) {
        precondition(byteCountMax <= Self.byteCountMax)
        self.byteCountMax = byteCountMax
        seed = Hash.processSeed
        slots = .allocate(capacity: Self.smallestCapacity)
        slots.initialize(repeating: 0, count: Self.smallestCapacity)
        mask = Self.smallestCapacity - 1
        start()
    }

    deinit { slots.deallocate() }

    /// Number of distinct strings, the empty one included.
    package var count: Int { offsets.count - 1 }
    /// Bytes of memory that the dictionary of all strings will take.
    var byteCount: Int { 4 * offsets.count + arena.count }

    /// The number of `bytes`, which are not checked, and whether they were not known before.
    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (ref: UInt32, isNew: Bool) {
        guard !bytes.isEmpty else { return (0, false) }
        let known = count
        let ref = add(bytes, at: place(of: bytes), as: 0)
        return (ref, count != known)
    }

    /// The number of `bytes` if they are known to have this role; otherwise their place, for ``add(_:at:as:)`` after
    /// the caller has checked them. `bytes` must not be empty.
    @inline(__always)
    func find(_ bytes: UnsafeRawBufferPointer, _ role: Role) -> (ref: UInt32, place: Place) {
        let place = place(of: bytes)
        let slot = slots[place.slot]
        return (slot & role.rawValue != 0 ? UInt32(truncatingIfNeeded: slot) : 0, place)
    }

    /// The number of `bytes`, which are noted to have the role whose bit is `role`.
    mutating func add(_ bytes: UnsafeRawBufferPointer, at place: Place, as role: UInt64) -> UInt32 {
        if slots[place.slot] != 0 {
            slots[place.slot] |= role
            return UInt32(truncatingIfNeeded: slots[place.slot])
        }
        guard bytes.count <= byteCountMax - arena.count, count < Self.countMax else {
            isFull = true
            return 0
        }
        let ref = UInt32(count)
        arena.append(bytes)
        offsets.append(UInt32(arena.count))
        slotOfRef.append(UInt32(place.slot))
        slots[place.slot] = place.hash & Self.tagMask | role | UInt64(ref)
        if count * 2 > mask { grow() }
        return ref
    }

    /// The string `ref`, valid until the next change.
    package func entry(_ ref: UInt32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: arena.bytes[Int(offsets[Int(ref)])..<Int(offsets[Int(ref) + 1])])
    }

    /// The entry `ref` as a value, see ``EncodedValue``.
    func value(_ ref: UInt32) -> AttributeValue { EncodedValue.decode(entry(ref)) }

    /// Hands out the dictionary and starts anew.
    package mutating func finish() -> ByteDictionary {
        let dictionary = ByteDictionary(
            offsets: [UInt32](UnsafeBufferPointer(start: offsets.base, count: offsets.count)),
            bytes: arena.array()
        )
        removeAll()
        return dictionary
    }

    /// Starts anew.
    package mutating func removeAll() {
        if mask >= 65_536 {
            // What one huge batch needed is not kept for ever.
            slots.deallocate()
            allocate(Self.smallestCapacity)
        } else {
            for ref in 0..<slotOfRef.count { slots[Int(slotOfRef[ref])] = 0 }
        }
        if arena.count > 1 << 20 { arena = ByteWriter(capacity: 4096) }
        start()
    }

    private mutating func start() {
        offsets.removeAll()
        slotOfRef.removeAll()
        arena.removeAll()
        isFull = false
        // The empty string is number 0, whose slot would look free: it is never looked up.
        offsets.append(0)
        offsets.append(0)
        slotOfRef.append(0)
    }

    @inline(__always)
    private func place(of bytes: UnsafeRawBufferPointer) -> Place {
        let hash = Hash.of(bytes, seed: seed)
        var at = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[at]
            if slot == 0 || ((slot ^ hash) & Self.tagMask == 0 && equal(UInt32(truncatingIfNeeded: slot), bytes)) {
                return Place(slot: at, hash: hash)
            }
            at = (at &+ 1) & mask
        }
    }

    /// Whether entry `ref`, which must be one, is `bytes`.
    @inline(__always)
    func equal(_ ref: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
        // A number in a slot was given by `add`, which put its end into `offsets`.
        let start = Int(offsets[Int(ref)])
        let count = Int(offsets[Int(ref) &+ 1]) &- start
        guard count == bytes.count else { return false }
        return arena.bytes.unsafelyEqual(from: start, bytes)
    }

    /// Whether entry `ref`, which must be one, is the value that is the string `text`, at most 127 bytes long.
    @inline(__always)
    func entry(_ ref: UInt32, isString text: UnsafeRawBufferPointer) -> Bool {
        let start = Int(offsets[Int(ref)])
        let count = Int(offsets[Int(ref) &+ 1]) &- start
        guard count == text.count &+ 2, count < 130,
            arena.bytes.unsafelyLoad(start, as: UInt8.self) == EncodedValue.Kind.string.rawValue,
            arena.bytes.unsafelyLoad(start &+ 1, as: UInt8.self) == UInt8(truncatingIfNeeded: text.count)
        else { return false }
        return arena.bytes.unsafelyEqual(from: start &+ 2, text)
    }

    private mutating func grow() {
        let old = slots
        allocate((mask + 1) * 2)
        for ref in 1..<count {
            let entry = UnsafeRawBufferPointer(rebasing: arena.bytes[Int(offsets[ref])..<Int(offsets[ref + 1])])
            let hash = Hash.of(entry, seed: seed)
            var at = Int(truncatingIfNeeded: hash) & mask
            while slots[at] != 0 { at = (at + 1) & mask }
            // The slot moves as it is: its part of the hash stays above the bits that index.
            slots[at] = old[Int(slotOfRef[ref])]
            slotOfRef[ref] = UInt32(at)
        }
        old.deallocate()
    }

    private mutating func allocate(_ capacity: Int) {
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: 0, count: capacity)
        mask = capacity - 1
    }
}
