// SPDX-License-Identifier: Apache-2.0

/// Durations as the Go language writes them, which is how Jaeger's clients send them: `1.5s`, `100ms`, `1h2m3s`.
enum GoDuration {
    /// Why a text is no duration, in the words of Go's own parser, which people know from Jaeger.
    struct Failure: Error {
        var message: String
    }

    /// Nanoseconds; exact, with fractions of a nanosecond cut off. Negative durations read as negative. `withDays` takes the
    /// units `d`, `w` and `y` of Prometheus too, a year being 365 days.
    static func parse(_ text: String, withDays: Bool = false) throws(Failure) -> Int64 {
        let invalid = Failure(message: "time: invalid duration \(GoText.quote(text))")
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        if rest.elementsEqual([0x30]) { return 0 }
        guard !rest.isEmpty else { throw invalid }
        var total: UInt64 = 0
        while !rest.isEmpty {
            let whole = takeDigits(&rest)
            var fraction: ArraySlice<UInt8> = []
            if rest.first == UInt8(ascii: ".") {
                rest.removeFirst()
                fraction = takeDigits(&rest)
            }
            guard !whole.isEmpty || !fraction.isEmpty else { throw invalid }
            let unit = rest.prefix { $0 != UInt8(ascii: ".") && !isDigit($0) }
            rest = rest.dropFirst(unit.count)
            guard !unit.isEmpty else {
                throw Failure(message: "time: missing unit in duration \(GoText.quote(text))")
            }
            let name = String(decoding: unit, as: UTF8.self)
            guard let nanos = nanos(of: name) ?? (withDays ? nanos(ofDays: name) : nil) else {
                throw Failure(
                    message: "time: unknown unit \(GoText.quote(name)) in duration \(GoText.quote(text))"
                )
            }
            guard let amount = decimal(whole),
                case let (scaled, overflow) = amount.multipliedReportingOverflow(by: nanos),
                !overflow, case let (sum, carry) = total.addingReportingOverflow(scaled), !carry,
                case let (all, carryToo) = sum.addingReportingOverflow(part(fraction, of: nanos)), !carryToo,
                all <= UInt64(Int64.max)
            else { throw invalid }
            total = all
        }
        return isNegative ? -Int64(total) : Int64(total)
    }

    private static func nanos(of unit: String) -> UInt64? {
        switch unit {
        case "ns": 1
        case "us", "\u{b5}s", "\u{3bc}s": 1000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        default: nil
        }
    }

    private static func nanos(ofDays unit: String) -> UInt64? {
        switch unit {
        case "d": 86_400_000_000_000
        case "w": 604_800_000_000_000
        case "y": 31_536_000_000_000_000
        default: nil
        }
    }

    private static func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(UInt64(digit - 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// `0.digits` of `nanos`. Sixteen digits decide any nanosecond of an hour, and keep the product below 2^128.
    private static func part(_ digits: ArraySlice<UInt8>, of nanos: UInt64) -> UInt64 {
        var numerator: UInt64 = 0
        var denominator: UInt64 = 1
        for digit in digits.prefix(16) {
            numerator = numerator * 10 + UInt64(digit - 0x30)
            denominator *= 10
        }
        // The quotient is below `nanos`, as the fraction is below one.
        return denominator.dividingFullWidth(nanos.multipliedFullWidth(by: numerator)).quotient
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func takeDigits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = rest.prefix(while: isDigit)
        rest = rest.dropFirst(digits.count)
        return digits
    }
}

/// What Go's standard library says of texts that it cannot read.
enum GoText {
    /// The text in double quotes, cut at 200 bytes, since it comes from outside.
    static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars.prefix(200) {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// A number as `strconv.FormatFloat` writes it in the format `g`, with a point or an exponent that tells it from a whole one: `2.0`, `1e+12`, `NaN`.
    static func float(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
        let text = value.magnitude.description
        let parts = text.split(separator: "e")
        let places = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        // The shortest digits, and the power of ten of the first of them.
        var digits = Array(places.joined().utf8)
        var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + places[0].utf8.count - 1
        while digits.count > 1, digits[0] == 0x30 {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
        if digits == [0x30] { exponent = 0 }
        let all = String(decoding: digits, as: UTF8.self)
        let sign = value.sign == .minus ? "-" : ""
        if exponent < -4 || exponent >= 6 {
            let fraction = digits.count > 1 ? "." + all.dropFirst() : ""
            let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
            return "\(sign)\(all.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(power)"
        }
        if exponent < 0 { return "\(sign)0.\(String(repeating: "0", count: -exponent - 1))\(all)" }
        let whole = all.prefix(exponent + 1)
        let filled = whole + String(repeating: "0", count: exponent + 1 - whole.utf8.count)
        let fraction = all.dropFirst(exponent + 1)
        return "\(sign)\(filled).\(fraction.isEmpty ? "0" : fraction)"
    }
}
