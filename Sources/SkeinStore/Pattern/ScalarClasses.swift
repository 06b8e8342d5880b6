// SPDX-License-Identifier: Apache-2.0

/// Sorts all Unicode scalars into classes that the sets of one pattern cannot tell apart.
struct ScalarClasses: Sendable {
    /// Number of classes.
    let count: Int
    /// For each class, what its scalars are beside an assertion; `.other` when the pattern has none.
    let sides: [PatternAssertion.Side]
    /// Where the intervals of equal class begin; the first begins at 0.
    private let bounds: [UInt32]
    /// The class of each interval.
    private let types: [UInt16]
    /// The class of each ASCII scalar.
    private let ascii: [UInt16]
    /// One bit per set and class.
    private var members: [UInt64]
    private let wordsPerSet: Int

    /// The classes of `sets`, and of newline and word characters too when assertions must tell them apart.
    init(_ sets: [ScalarSet], separatingSides: Bool) {
        let all = separatingSides ? sets + [.newline, .word] : sets
        let edges = all.flatMap { $0.ranges.flatMap { [$0.lowerBound, $0.upperBound + 1] } }
        let bounds = Set(edges + [0]).filter { $0 <= ScalarSet.last }.sorted()
        self.bounds = bounds
        // Each set moves the intervals it holds to new classes, one new class for each old one.
        var raw = [Int](repeating: 0, count: bounds.count)
        var fresh = 1
        for set in all {
            var moved: [Int: Int] = [:]
            for interval in Self.intervals(of: set, bounds) {
                if let target = moved[raw[interval]] {
                    raw[interval] = target
                } else {
                    moved[raw[interval]] = fresh
                    raw[interval] = fresh
                    fresh += 1
                }
            }
        }
        var numbers: [Int: UInt16] = [:]
        // A pattern of at most 10,000 instructions has fewer classes than a UInt16 counts.
        let types = raw.map { type in
            let number = numbers[type] ?? UInt16(numbers.count)
            numbers[type] = number
            return number
        }
        self.types = types
        count = numbers.count
        wordsPerSet = (count + 63) / 64
        var members = [UInt64](repeating: 0, count: wordsPerSet * sets.count)
        for (index, set) in sets.enumerated() {
            for interval in Self.intervals(of: set, bounds) {
                let type = Int(types[interval])
                members[index * wordsPerSet + type / 64] |= 1 << UInt64(type % 64)
            }
        }
        self.members = members
        var sides = [PatternAssertion.Side](repeating: .other, count: count)
        if separatingSides {
            for interval in Self.intervals(of: .newline, bounds) { sides[Int(types[interval])] = .newline }
            for interval in Self.intervals(of: .word, bounds) { sides[Int(types[interval])] = .word }
        }
        self.sides = sides
        ascii = (0..<0x80).map { types[Self.interval(of: $0, bounds)] }
    }

    /// Whether set `set` holds the scalars of class `type`.
    func contains(_ set: Int, _ type: Int) -> Bool {
        members[set * wordsPerSet + type / 64] >> UInt64(type % 64) & 1 == 1
    }

    /// The class of the scalar at `offset`, which moves past it. `offset` must be below `text.count`. A byte that does
    /// not begin a well-formed scalar counts as U+FFFD.
    @inline(__always)
    func next(in text: UnsafeRawBufferPointer, at offset: inout Int) -> Int {
        let first = text[offset]
        if first < 0x80 {
            offset &+= 1
            return Int(ascii[Int(first)])
        }
        return Int(types[Self.interval(of: Self.decode(text, at: &offset), bounds)])
    }

    /// The scalar at `offset`, whose first byte is not ASCII (Unicode Standard §3.9, table 3-7).
    private static func decode(_ text: UnsafeRawBufferPointer, at offset: inout Int) -> UInt32 {
        let first = text[offset]
        let start = offset
        offset &+= 1
        let (length, low, high): (Int, UInt8, UInt8)
        switch first {
        case 0xc2...0xdf: (length, low, high) = (1, 0x80, 0xbf)
        case 0xe0: (length, low, high) = (2, 0xa0, 0xbf)
        case 0xed: (length, low, high) = (2, 0x80, 0x9f)
        case 0xe1...0xef: (length, low, high) = (2, 0x80, 0xbf)
        case 0xf0: (length, low, high) = (3, 0x90, 0xbf)
        case 0xf1...0xf3: (length, low, high) = (3, 0x80, 0xbf)
        case 0xf4: (length, low, high) = (3, 0x80, 0x8f)
        default: return 0xfffd
        }
        guard text.count &- start > length, (low...high).contains(text[start &+ 1]) else { return 0xfffd }
        var value = UInt32(first) & (0x3f &>> UInt32(length))
        for index in 1...length {
            let byte = text[start &+ index]
            guard byte & 0xc0 == 0x80 else { return 0xfffd }
            value = value &<< 6 | UInt32(byte & 0x3f)
        }
        offset = start &+ length &+ 1
        return value
    }

    /// The intervals that a set consists of.
    private static func intervals(of set: ScalarSet, _ bounds: [UInt32]) -> [Int] {
        set.ranges.flatMap { interval(of: $0.lowerBound, bounds)...interval(of: $0.upperBound, bounds) }
    }

    /// The interval that holds `scalar`: the last that does not begin after it.
    private static func interval(of scalar: UInt32, _ bounds: [UInt32]) -> Int {
        var low = 0
        var high = bounds.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if bounds[middle] <= scalar { low = middle } else { high = middle }
        }
        return low
    }
}
