// SPDX-License-Identifier: Apache-2.0

/// Reads RE2 syntax. One pass, no backtracking; nesting is bounded.
struct PatternParser {
    /// How deep groups may nest.
    static let depthMax = 200
    /// Most bytes of a pattern.
    static let sourceBytesMax = 16 * 1024
    /// Greatest count in `{n,m}`, RE2's own.
    static let countMax = 1000

    private let scalars: [Unicode.Scalar]
    private let byteCount: Int
    private var at = 0
    private var depth = 0
    private var flags = Flags()

    private struct Flags {
        var ignoresCase = false
        var multiline = false
        var dotMatchesNewline = false
    }

    /// A parser of `source`.
    init(_ source: String) {
        scalars = Array(source.unicodeScalars)
        byteCount = source.utf8.count
    }

    /// The whole pattern.
    mutating func parse() throws(TextPattern.Failure) -> PatternNode {
        if byteCount > Self.sourceBytesMax {
            throw failure("the pattern has \(byteCount) bytes, at most \(Self.sourceBytesMax) are accepted", at: 0)
        }
        let node = try parseAlternation()
        if at < scalars.count { throw failure("unexpected ) without a ( before it", at: at) }
        return node
    }

    private mutating func parseAlternation() throws(TextPattern.Failure) -> PatternNode {
        var branches = [try parseSequence()]
        while take("|") { branches.append(try parseSequence()) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func parseSequence() throws(TextPattern.Failure) -> PatternNode {
        var parts: [PatternNode] = []
        while let next = peek, next != "|", next != ")" {
            let start = at
            if next == "\\", peek(1) == "Q" {
                at += 2
                let known = parts.count
                appendQuoted(to: &parts)
                // A repetition after `\E` is of the last scalar.
                if parts.count > known { parts.append(try parseRepetition(of: parts.removeLast(), from: start)) }
                continue
            }
            guard let atom = try parseAtom() else { continue }
            parts.append(try parseRepetition(of: atom, from: start))
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    /// The text up to `\E`, or to the end.
    private mutating func appendQuoted(to parts: inout [PatternNode]) {
        while let next = peek {
            if next == "\\", peek(1) == "E" {
                at += 2
                return
            }
            parts.append(.scalar(folded(ScalarSet(next))))
            at += 1
        }
    }

    private mutating func parseRepetition(of atom: PatternNode, from start: Int) throws(TextPattern.Failure)
        -> PatternNode
    {
        guard let (least, most) = try parseCount() else { return atom }
        _ = take("?")  // Lazy or greedy: the whole text matches or it does not.
        let second = at
        if try parseCount() != nil {
            throw failure("a repetition cannot be repeated; put the first one in a group", at: second)
        }
        return .repetition(atom, min: least, max: most)
    }

    /// `*`, `+`, `?` or `{…}`, when it is next. Braces that do not hold counts are text.
    private mutating func parseCount() throws(TextPattern.Failure) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = at
        guard take("{"), let least = parseNumber() else {
            at = start
            return nil
        }
        var most: Int? = least
        if take(",") { most = peek == "}" ? nil : parseNumber() ?? -1 }
        guard take("}"), most != -1 else {
            at = start
            return nil
        }
        if least > Self.countMax || (most ?? 0) > Self.countMax {
            throw failure("a repetition count may be at most \(Self.countMax)", at: start)
        }
        if let most, most < least { throw failure("the counts \(least) and \(most) are in the wrong order", at: start) }
        return (least, most)
    }

    /// A decimal number; what is too large reads as one too many.
    private mutating func parseNumber() -> Int? {
        var value: Int?
        while let next = peek, ("0"..."9").contains(next) {
            value = min((value ?? 0) * 10 + Int(next.value - 0x30), Self.countMax + 1)
            at += 1
        }
        return value
    }

    /// One scalar, class, assertion or group; `nil` for flags, which are nothing to match.
    private mutating func parseAtom() throws(TextPattern.Failure) -> PatternNode? {
        let start = at
        let next = scalars[at]
        at += 1
        switch next {
        case ".": return .scalar(flags.dotMatchesNewline ? .all : ScalarSet.newline.inverted)
        case "^": return .assertion(flags.multiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.multiline ? .lineEnd : .textEnd)
        case "[": return .scalar(try parseClass(from: start))
        case "(": return try parseGroup(from: start)
        case "\\": return try parseEscape(from: start)
        case "*", "+", "?": throw failure("nothing before \(next) to repeat", at: start)
        default: return .scalar(folded(ScalarSet(next)))
        }
    }

    private mutating func parseGroup(from start: Int) throws(TextPattern.Failure) -> PatternNode? {
        let outer = flags
        if take("?") {
            if peek == "P" || peek == "<" {
                try parseName(from: start)
            } else if try parseFlags(from: start) == ")" {
                return nil
            }
        }
        depth += 1
        if depth > Self.depthMax { throw failure("groups nest deeper than \(Self.depthMax)", at: start) }
        let node = try parseAlternation()
        guard take(")") else { throw failure("this ( has no )", at: start) }
        depth -= 1
        flags = outer
        return node
    }

    /// `P<name>` or `<name>`.
    private mutating func parseName(from start: Int) throws(TextPattern.Failure) {
        _ = take("P")
        if peek(1) == "=" || peek(1) == "!" {
            throw failure("looking behind cannot be matched in linear time and is not supported", at: start)
        }
        guard take("<") else { throw failure("expected < and a group's name", at: at) }
        let name = at
        while let next = peek, next == "_" || (next.isASCII && next.properties.isAlphabetic) || isDigit(next) {
            at += 1
        }
        guard at > name, take(">") else {
            throw failure("expected a group's name of letters and digits, then >", at: at)
        }
    }

    /// `ims-U:` or `ims-U)`; answers the scalar that ended the flags.
    private mutating func parseFlags(from start: Int) throws(TextPattern.Failure) -> Unicode.Scalar {
        var on = true
        while let next = peek {
            at += 1
            switch next {
            case "i": flags.ignoresCase = on
            case "m": flags.multiline = on
            case "s": flags.dotMatchesNewline = on
            case "U": break  // Which end a repetition prefers does not matter here.
            case "-" where on: on = false
            case ":", ")": return next
            case "=", "!":
                throw failure("looking ahead cannot be matched in linear time and is not supported", at: start)
            default: throw failure("unknown flag \(next); the flags are i, m, s and U", at: at - 1)
            }
        }
        throw failure("this ( has no )", at: start)
    }

    private mutating func parseEscape(from start: Int) throws(TextPattern.Failure) -> PatternNode {
        switch peek {
        case "A": at += 1; return .assertion(.textStart)
        case "z": at += 1; return .assertion(.textEnd)
        case "b": at += 1; return .assertion(.wordBoundary)
        case "B": at += 1; return .assertion(.noWordBoundary)
        default: break
        }
        if let set = try parseClassEscape(from: start) { return .scalar(set) }
        return .scalar(folded(ScalarSet(try parseScalarEscape(from: start))))
    }

    /// `d D s S w W pX p{…} P…` after the backslash, when that is next.
    private mutating func parseClassEscape(from start: Int) throws(TextPattern.Failure) -> ScalarSet? {
        guard let next = peek else { return nil }
        let set: ScalarSet
        switch next {
        case "d": set = .digits
        case "D": set = ScalarSet.digits.inverted
        case "s": set = .spaces
        case "S": set = ScalarSet.spaces.inverted
        case "w": set = .word
        case "W": set = ScalarSet.word.inverted
        case "p", "P":
            at += 1
            return try parseCategory(negated: next == "P", from: start)
        default: return nil
        }
        at += 1
        return set
    }

    private mutating func parseCategory(negated: Bool, from start: Int) throws(TextPattern.Failure) -> ScalarSet {
        var name = String.UnicodeScalarView()
        if take("{") {
            while let next = peek, next != "}" {
                name.append(next)
                at += 1
            }
            guard take("}") else { throw failure("this { has no }", at: start) }
        } else if let next = peek {
            name.append(next)
            at += 1
        }
        let isInverted = name.first == "^"
        if isInverted { name.removeFirst() }
        guard let set = CategorySets.named(String(name)) else {
            throw failure(
                "unknown category \(String(name)); general categories such as L or Nd are known, scripts are not",
                at: start
            )
        }
        let positive = folded(set)
        return negated != isInverted ? positive.inverted : positive
    }

    /// An escape that stands for one scalar; the backslash is behind us.
    private mutating func parseScalarEscape(from start: Int) throws(TextPattern.Failure) -> Unicode.Scalar {
        guard let next = peek else { throw failure("a backslash ends the pattern; write \\\\ for one", at: start) }
        at += 1
        switch next {
        case "a": return "\u{07}"
        case "f": return "\u{0c}"
        case "t": return "\t"
        case "n": return "\n"
        case "r": return "\r"
        case "v": return "\u{0b}"
        case "x": return try parseHexadecimal(from: start)
        case "0": return parseOctal(from: 0, digits: 2)
        case "1"..."7":
            guard let second = peek, ("0"..."7").contains(second) else {
                throw failure("references back cannot be matched in linear time and are not supported", at: start)
            }
            return parseOctal(from: next.value - 0x30, digits: 2)
        default:
            guard next.value < 0x80, !next.properties.isAlphabetic, !isDigit(next) else {
                throw failure("unknown escape \\\(next)", at: start)
            }
            return next
        }
    }

    private mutating func parseOctal(from first: UInt32, digits: Int) -> Unicode.Scalar {
        var value = first
        for _ in 0..<digits {
            guard let next = peek, ("0"..."7").contains(next) else { break }
            value = value * 8 + next.value - 0x30
            at += 1
        }
        return Unicode.Scalar(value) ?? "\u{fffd}"
    }

    private mutating func parseHexadecimal(from start: Int) throws(TextPattern.Failure) -> Unicode.Scalar {
        let isBraced = take("{")
        var value: UInt32 = 0
        var count = 0
        while let next = peek, let digit = next.properties.isASCIIHexDigit ? UInt32(String(next), radix: 16) : nil,
            isBraced || count < 2, value <= ScalarSet.last
        {
            value = value * 16 + digit
            count += 1
            at += 1
        }
        guard isBraced ? count > 0 && take("}") : count == 2, let scalar = Unicode.Scalar(value) else {
            throw failure("expected \\x and two hexadecimal digits, or \\x{…} with a Unicode scalar", at: start)
        }
        return scalar
    }

    /// A class; its `[` is behind us.
    private mutating func parseClass(from start: Int) throws(TextPattern.Failure) -> ScalarSet {
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let next = peek {
            if next == "]", !isFirst {
                at += 1
                let set = folded(ScalarSet(ranges))
                return isNegated ? set.inverted : set
            }
            isFirst = false
            if next == "[", peek(1) == ":" {
                ranges += try parsePOSIXClass().ranges
                continue
            }
            let place = at
            at += 1
            if next == "\\", let set = try parseClassEscape(from: place) {
                ranges += set.ranges
                continue
            }
            let low = next == "\\" ? try parseScalarEscape(from: place) : next
            var high = low
            if peek == "-", let end = peek(1), end != "]" {
                at += 2
                high = end == "\\" ? try parseScalarEscape(from: at - 1) : end
            }
            guard low <= high else { throw failure("the range \(low)-\(high) is in the wrong order", at: place) }
            ranges.append(low.value...high.value)
        }
        throw failure("this [ has no ]", at: start)
    }

    /// `[:name:]` or `[:^name:]` within a class.
    private mutating func parsePOSIXClass() throws(TextPattern.Failure) -> ScalarSet {
        let start = at
        at += 2
        let isNegated = take("^")
        var name = String.UnicodeScalarView()
        while let next = peek, next != ":", name.count < 8 {
            name.append(next)
            at += 1
        }
        guard take(":"), take("]"), let ranges = Self.posix[String(name)] else {
            throw failure("unknown class; the names are \(Self.posix.keys.sorted().joined(separator: ", "))", at: start)
        }
        return isNegated ? ScalarSet(ranges).inverted : ScalarSet(ranges)
    }

    private static let posix: [String: [ClosedRange<UInt32>]] = [
        "alnum": [0x30...0x39, 0x41...0x5a, 0x61...0x7a], "alpha": [0x41...0x5a, 0x61...0x7a], "ascii": [0...0x7f],
        "blank": [0x09...0x09, 0x20...0x20], "cntrl": [0...0x1f, 0x7f...0x7f], "digit": [0x30...0x39],
        "graph": [0x21...0x7e], "lower": [0x61...0x7a], "print": [0x20...0x7e],
        "punct": [0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e], "space": [0x09...0x0d, 0x20...0x20],
        "upper": [0x41...0x5a], "word": ScalarSet.word.ranges,
        "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]

    private func folded(_ set: ScalarSet) -> ScalarSet { flags.ignoresCase ? set.caseFolded : set }
    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private var peek: Unicode.Scalar? { peek(0) }
    private func peek(_ ahead: Int) -> Unicode.Scalar? { at + ahead < scalars.count ? scalars[at + ahead] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        at += 1
        return true
    }

    private func failure(_ message: String, at place: Int) -> TextPattern.Failure {
        let offset = scalars.prefix(place).reduce(0) { $0 + UTF8.width($1) }
        return TextPattern.Failure(message: message, offset: offset)
    }
}
