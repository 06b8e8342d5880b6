// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Reads ints, floats and durations such as `1h2m3.5s`.
enum NumberReader {
    struct Failure: Error {
        var message: String
        var expected: [String] = []
        var isTooLarge = false
        /// The duration that was meant, when only its unit is misspelt.
        var corrected: String?
    }

    /// Nanoseconds of each unit. Days, weeks and years (365 days) beside Go's.
    static let units: [(name: String, nanos: Int64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
        ("y", 31_536_000_000_000_000),
    ]

    /// The number at `at`, which moves past it. It must end where a word could not go on.
    static func read(_ source: [UInt8], at: inout Int) throws(Failure) -> Literal {
        let start = at
        var nanos: Int64 = 0
        var hasUnit = false
        while true {
            let digits = at
            let isWhole = scanDecimal(source, at: &at, exponent: !hasUnit)
            guard at > digits else { break }
            let text = String(decoding: source[digits..<at], as: UTF8.self)
            let digitsEnd = at
            let unit = scanUnit(source, at: &at)
            if unit.isEmpty {
                if hasUnit {
                    throw Failure(message: "a duration's last number needs a unit", expected: units.map(\.name))
                }
                if endsNumber(source, at: at) { return try plain(text, isWhole: isWhole) }
            }
            guard let scale = units.first(where: { $0.name == unit })?.nanos else {
                let before = String(decoding: source[start..<digitsEnd], as: UTF8.self)
                throw Failure(
                    message: "this is neither a number nor a duration",
                    expected: units.map(\.name),
                    corrected: endsNumber(source, at: at) ? self.unit(meantBy: unit).map { before + $0 } : nil
                )
            }
            guard let part = scaled(text, by: scale), case let (sum, overflow) = nanos.addingReportingOverflow(part),
                !overflow
            else { throw Failure(message: "the duration is longer than 292 years", isTooLarge: true) }
            nanos = sum
            hasUnit = true
        }
        guard hasUnit, at > start, endsNumber(source, at: at) else {
            throw Failure(message: "this is neither a number nor a duration", expected: units.map(\.name))
        }
        return .duration(nanos)
    }

    /// Digits, a fraction and, if allowed, an exponent. Answers whether the number is whole.
    private static func scanDecimal(_ source: [UInt8], at: inout Int, exponent: Bool) -> Bool {
        var isWhole = true
        func digits() { while at < source.count, QueryByte.isDigit(source[at]) { at += 1 } }
        digits()
        if at < source.count, source[at] == UInt8(ascii: ".") {
            isWhole = false
            at += 1
            digits()
        }
        if exponent, at < source.count, source[at] | 0x20 == UInt8(ascii: "e") {
            var power = at + 1
            if power < source.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(source[power]) { power += 1 }
            if power < source.count, QueryByte.isDigit(source[power]) {
                isWhole = false
                at = power
                digits()
            }
        }
        return isWhole
    }

    private static func scanUnit(_ source: [UInt8], at: inout Int) -> String {
        let start = at
        while at < source.count, QueryByte.isWordStart(source[at]) { at += 1 }
        return String(decoding: source[start..<at], as: UTF8.self)
    }

    /// Units as people write them elsewhere.
    private static let otherWords = [
        "ns": ["nano", "nanos", "nsec", "nanosecond", "nanoseconds"],
        "us": ["micro", "micros", "usec", "microsecond", "microseconds"],
        "ms": ["milli", "millis", "msec", "millisecond", "milliseconds"],
        "s": ["sec", "secs", "second", "seconds"], "m": ["min", "mins", "minute", "minutes"],
        "h": ["hr", "hrs", "hour", "hours"], "d": ["day", "days"], "w": ["week", "weeks"], "y": ["year", "years"],
    ]

    /// The unit that a word was most likely meant to be. Of a single letter nobody can tell, unless it is a capital.
    private static func unit(meantBy word: String) -> String? {
        let word = word.lowercased()
        if let unit = otherWords.first(where: { $0.value.contains(word) })?.key { return unit }
        let names = units.map(\.name)
        return word.utf8.count > 1 ? Spelling.nearest(to: word, among: names) : names.first { $0 == word }
    }

    /// Whether what follows can follow a number: not a letter, digit, full stop or underscore.
    private static func endsNumber(_ source: [UInt8], at: Int) -> Bool {
        at >= source.count || !(QueryByte.isWord(source[at]) || source[at] == UInt8(ascii: "."))
    }

    private static func plain(_ text: String, isWhole: Bool) throws(Failure) -> Literal {
        if isWhole {
            guard let int = Int64(text) else {
                throw Failure(message: "the number is larger than \(Int64.max)", isTooLarge: true)
            }
            return .int(int)
        }
        // Swift wants a digit on both sides of the point.
        let padded = (text.hasPrefix(".") ? "0" : "") + text
        guard let double = Double(padded.hasSuffix(".") ? padded + "0" : padded.replacingPoint), double.isFinite else {
            throw Failure(message: "the number is larger than a double holds", isTooLarge: true)
        }
        return .double(double)
    }

    /// `text` times `scale`, exact for the first nine decimals; `nil` past 64 bits.
    private static func scaled(_ text: String, by scale: Int64) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ $0.isEmpty ? 0 : Int64($0) }) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        var rest: Int64 = 0
        var unit = scale
        for digit in parts.dropFirst().first?.utf8 ?? Substring().utf8 {
            // Each decimal is worth a tenth of the one before; what is finer than a nanosecond is cut off.
            let (share, left) = unit.quotientAndRemainder(dividingBy: 10)
            rest += Int64(digit &- 0x30) * share + Int64(digit &- 0x30) * left / 10
            unit = share
            if unit == 0 { break }
        }
        let (sum, isOver) = product.addingReportingOverflow(rest)
        return isOver ? nil : sum
    }
}

extension String {
    /// `1.e5` as `1.0e5`.
    fileprivate var replacingPoint: String {
        guard let point = firstIndex(of: "."), let after = index(point, offsetBy: 1, limitedBy: endIndex),
            after < endIndex, !self[after].isNumber
        else { return self }
        return String(self[...point]) + "0" + String(self[after...])
    }
}
