// SPDX-License-Identifier: Apache-2.0

/// A set of Unicode scalar values, as ascending ranges that neither overlap nor touch.
struct ScalarSet: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>] = []

    /// The greatest scalar value.
    static let last: UInt32 = 0x10ffff
    /// Every scalar.
    static let all = ScalarSet([0...last])
    static let newline = ScalarSet([0x0a...0x0a])
    static let digits = ScalarSet([0x30...0x39])
    static let spaces = ScalarSet([0x09...0x0a, 0x0c...0x0d, 0x20...0x20])
    static let word = ScalarSet([0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])

    /// The union of `ranges`, in any order.
    init(_ ranges: some Sequence<ClosedRange<UInt32>>) {
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let end = self.ranges.last, range.lowerBound <= end.upperBound &+ 1 {
                let upper = max(end.upperBound, range.upperBound)
                self.ranges[self.ranges.count - 1] = end.lowerBound...upper
            } else {
                self.ranges.append(range)
            }
        }
    }

    /// The set of one scalar.
    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    /// What is in either set.
    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    /// Every scalar that is not in the set.
    var inverted: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= Self.last { gaps.append(next...Self.last) }
        return ScalarSet(gaps)
    }

    /// The set with every scalar that differs from one in it by case only.
    var caseFolded: ScalarSet {
        var added: [ClosedRange<UInt32>] = []
        for range in ranges {
            for pair in CaseOrbits.pairs(in: range) { added.append(pair...pair) }
        }
        return added.isEmpty ? self : ScalarSet(ranges + added)
    }

    /// The scalar of a set that has only one.
    var single: Unicode.Scalar? {
        guard ranges.count == 1, ranges[0].count == 1 else { return nil }
        return Unicode.Scalar(ranges[0].lowerBound)
    }
}

/// Which scalars differ by case only, as pairs sorted by the first.
enum CaseOrbits {
    private static let pairs: [(from: UInt32, to: UInt32)] = {
        var orbits: [UInt32: [UInt32]] = [:]
        // No letter with case lies above Adlam, and none between these bounds (ideographs, Hangul, private use).
        for value in [0..<0x3000, 0xa640..<0xac00, 0xfb00..<0x1f000].joined() {
            guard let scalar = Unicode.Scalar(value), scalar.properties.changesWhenCaseMapped else { continue }
            let upper = single(scalar.properties.uppercaseMapping) ?? scalar
            orbits[(single(upper.properties.lowercaseMapping) ?? upper).value, default: []].append(scalar.value)
        }
        return orbits.values.flatMap { orbit in
            orbit.flatMap { from in orbit.compactMap { to in from == to ? nil : (from, to) } }
        }.sorted { $0.from < $1.from }
    }()

    private static func single(_ text: String) -> Unicode.Scalar? {
        text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
    }

    /// The other cases of the scalars in `range`.
    static func pairs(in range: ClosedRange<UInt32>) -> [UInt32] {
        if range.upperBound < 0x80, range.lowerBound == range.upperBound, !isLetter(range.lowerBound) { return [] }
        var low = 0
        var high = pairs.count
        while low < high {
            let middle = (low + high) / 2
            if pairs[middle].from < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return pairs[low...].prefix { $0.from <= range.upperBound }.map(\.to)
    }

    private static func isLetter(_ ascii: UInt32) -> Bool {
        (0x41...0x5a).contains(ascii) || (0x61...0x7a).contains(ascii)
    }
}

/// The scalars of each general category (Unicode Standard §4.5), by the names that `\p{…}` takes.
enum CategorySets {
    private static let table: [String: ScalarSet] = {
        var ranges: [String: [ClosedRange<UInt32>]] = [:]
        var open: (name: String, from: UInt32)?
        for value in 0...ScalarSet.last + 1 {
            let name = Unicode.Scalar(value).flatMap { abbreviation($0.properties.generalCategory) }
            if name == open?.name { continue }
            if let open { ranges[open.name, default: []].append(open.from...(value - 1)) }
            open = name.map { ($0, value) }
        }
        var sets: [String: ScalarSet] = [:]
        for (name, found) in ranges {
            sets[name] = ScalarSet(found)
            let major = String(name.prefix(1))
            sets[major] = (sets[major] ?? ScalarSet([])).union(ScalarSet(found))
        }
        sets["Any"] = .all
        return sets
    }()

    /// The set named so, such as `L` or `Nd`.
    static func named(_ name: String) -> ScalarSet? { table[name] }

    /// `nil` for what is assigned nothing, which `\p{…}` cannot name.
    private static func abbreviation(_ category: Unicode.GeneralCategory) -> String? {
        switch category {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: nil
        @unknown default: nil
        }
    }
}
