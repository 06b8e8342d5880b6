// SPDX-License-Identifier: Apache-2.0

/// Consistent probability sampling (OpenTelemetry, "TraceState: Probability Sampling").
///
/// A threshold T and a randomness R are numbers below 2^56; a span is kept when T ≤ R, so that whoever decides with a higher
/// threshold keeps a subset of what a lower one keeps. The member `ot` of a `tracestate` carries both, each a field
/// `name:digits`: `th`, 1 to 14 hex digits of which trailing zeros are cut, and `rv`, 14 hex digits.
package enum SamplingThreshold {
    /// One more than the largest threshold and the largest randomness. As a threshold it rejects everything.
    package static let end: UInt64 = 1 << 56
    /// Most bytes of the value of `ot`.
    package static let otByteCountMax = 256
    /// Most members of a `tracestate` (W3C Trace Context 2 §3.3.1.1).
    package static let memberCountMax = 32

    /// How many spans one with this `tracestate` stands for, from 1 to 2^56. 1 when it does not say, or not in this form.
    package static func weight(ofTraceState text: UnsafeRawBufferPointer) -> Double {
        weight(ofThreshold: threshold(ofTraceState: text) ?? 0)
    }

    /// How many spans one that passed `threshold`, at most ``end``, stands for: 2^56 / (2^56 - threshold), at most 2^56.
    package static func weight(ofThreshold threshold: UInt64) -> Double {
        0x1p56 / Double(max(end - threshold, 1))
    }

    /// The threshold that this share of all traces passes, rounded to 2^-56; ``end`` for 0 and less, 0 for 1 and more.
    package static func threshold(ofProbability probability: Double) -> UInt64 {
        guard probability > 0 else { return end }
        guard probability < 1 else { return 0 }
        return end - max(UInt64((probability * 0x1p56).rounded()), 1)
    }

    /// The same, rounded to `precision` hex digits, 1 to 14, behind leading digits `f`: so many say the probability as well as a
    /// person does, and are short to send.
    package static func threshold(ofProbability probability: Double, precision: Int) -> UInt64 {
        let exact = threshold(ofProbability: probability)
        guard exact < end else { return end }
        // A probability below 16^-n has at least n leading digits `f`.
        let leading = max(-(probability.exponent + 1) / 4, 0)
        let cut = UInt64(4 * (14 - min(max(precision, 1) + leading, 14)))
        guard cut > 0 else { return exact }
        return min(((exact + (1 << (cut - 1))) >> cut) << cut, end - (1 << cut))
    }

    /// The threshold that a `tracestate` names; `nil` when it does not say, or not in this form.
    package static func threshold(ofTraceState text: UnsafeRawBufferPointer) -> UInt64? {
        member(of: text).flatMap(threshold(ofMember:))
    }

    /// The threshold that the value of a member `ot` names; `nil` when it does not say, or not in this form.
    package static func threshold(ofMember value: UnsafeRawBufferPointer) -> UInt64? {
        guard let digits = rest(after: "th:", in: value, separator: semicolon), (1...14).contains(digits.count),
            let number = number(digits)
        else { return nil }
        return number << (4 * UInt64(14 - digits.count))
    }

    /// The randomness of a trace: what the `tracestate` of any of its spans names, otherwise the low 56 bits of its id.
    package static func randomness(ofTraceState text: UnsafeRawBufferPointer, traceID: TraceID) -> UInt64 {
        randomness(ofTraceState: text) ?? traceID.low & (end - 1)
    }

    /// The randomness that a `tracestate` names; `nil` when it does not say, or not in this form.
    package static func randomness(ofTraceState text: UnsafeRawBufferPointer) -> UInt64? {
        member(of: text).flatMap(randomness(ofMember:))
    }

    /// The randomness that the value of a member `ot` names; `nil` when it does not say, or not in this form.
    package static func randomness(ofMember value: UnsafeRawBufferPointer) -> UInt64? {
        guard let digits = rest(after: "rv:", in: value, separator: semicolon), digits.count == 14 else { return nil }
        return number(digits)
    }

    /// What a decision does to a span with this `tracestate`: the `tracestate` that it has from then on, and by how much its
    /// weight grows. The decision is a threshold that the trace passed, below ``end``, and a `factor` for what else was left
    /// out. Who thinned by a threshold as high before has thinned enough.
    package static func applying(
        _ threshold: UInt64,
        factor: Double,
        toTraceState text: UnsafeRawBufferPointer
    ) -> (traceState: [UInt8], weightFactor: Double) {
        let growth = weightFactor(of: threshold, after: self.threshold(ofTraceState: text) ?? 0)
        return (rewriting(traceState: text, threshold: threshold), factor * growth)
    }

    /// By how much the weight of a span grows that passed `threshold`, and `earlier` before: 1 when that was as high.
    package static func weightFactor(of threshold: UInt64, after earlier: UInt64) -> Double {
        threshold > earlier ? weight(ofThreshold: threshold) / weight(ofThreshold: earlier) : 1
    }

    /// `text` with its threshold raised to `threshold`, below ``end``; as it is when it names one as high, or when
    /// `threshold` is 0.
    ///
    /// `ot` moves to the front, as W3C Trace Context 2 §3.3.1.3 has it for what was changed; the others stay as they are, but
    /// for the last of 32 when `ot` is new. Of an `ot` that would be too long, fields other than `rv` are left out from
    /// the end.
    package static func rewriting(traceState text: UnsafeRawBufferPointer, threshold: UInt64) -> [UInt8] {
        precondition(threshold < end)
        guard threshold > self.threshold(ofTraceState: text) ?? 0 else { return Array(text) }
        let value = rewriting(member: member(of: text) ?? .init(start: nil, count: 0), threshold: threshold)
        var out = Array("ot=".utf8) + value
        let others = text.split(separator: comma).map(trimmed).filter { !$0.isEmpty && !$0.starts(with: "ot=".utf8) }
        for other in others.prefix(memberCountMax - 1) {
            out.append(comma)
            out.append(contentsOf: other)
        }
        return out
    }

    /// The value of a member `ot` with this threshold, below ``end``, or without one; its other fields stay, but for those that
    /// make it too long: fields other than `rv` are left out from the end.
    package static func rewriting(member value: UnsafeRawBufferPointer, threshold: UInt64?) -> [UInt8] {
        precondition(threshold ?? 0 < end)
        var out = threshold.map { Array("th:".utf8) + digits($0) } ?? []
        let kept = value.split(separator: semicolon).map(trimmed).filter { !$0.starts(with: "th:".utf8) }
        for isRandomness in [true, false] {
            for field in kept where field.starts(with: "rv:".utf8) == isRandomness && !field.isEmpty {
                guard out.count + 1 + field.count <= otByteCountMax else { continue }
                if !out.isEmpty { out.append(semicolon) }
                out.append(contentsOf: field)
            }
        }
        return out
    }

    private static let comma = UInt8(ascii: ",")
    private static let semicolon = UInt8(ascii: ";")

    /// The value of the first member `ot`.
    private static func member(of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        // Most spans have none.
        text.isEmpty ? nil : rest(after: "ot=", in: text, separator: comma)
    }

    /// What follows `prefix` in the first part of `text` that begins so.
    private static func rest(
        after prefix: StaticString,
        in text: UnsafeRawBufferPointer,
        separator: UInt8
    ) -> UnsafeRawBufferPointer? {
        prefix.withUTF8Buffer { prefix in
            var rest = text[...]
            while !rest.isEmpty {
                let end = rest.firstIndex(of: separator) ?? rest.endIndex
                let part = trimmed(rest[..<end])
                if part.starts(with: prefix) { return UnsafeRawBufferPointer(rebasing: part.dropFirst(prefix.count)) }
                rest = rest[end...].dropFirst()
            }
            return nil
        }
    }

    private static func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }

    /// At most 14 lower-case hex digits as a number.
    private static func number(_ digits: UnsafeRawBufferPointer) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }

    /// The 14 digits of a threshold without trailing zeros, at least one.
    private static func digits(_ threshold: UInt64) -> [UInt8] {
        var digits = (0..<14).map { place in
            let digit = UInt8(threshold >> UInt64(4 * (13 - place)) & 15)
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return digits
    }
}
