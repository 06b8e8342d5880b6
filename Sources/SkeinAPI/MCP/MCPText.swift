// SPDX-License-Identifier: Apache-2.0
import SkeinTraceQL

/// The text of an answer, never longer than a model reads with ease.
///
/// Lines go in as long as they fit; what is said at the end, such as how to go on, has room of its own.
struct MCPText {
    /// Most bytes of an answer: about 2,000 tokens.
    static let byteCountMax = 7_500
    /// What notes may take of them.
    static let noteByteCountMax = 900
    /// What of a name, a value or a message is shown.
    static let wordLengthMax = 160

    private var body = ""
    private var notes = ""

    /// Bytes left for lines.
    var room: Int { Self.byteCountMax - Self.noteByteCountMax - body.utf8.count }

    /// Adds a line; `false`, and no change, when it does not fit.
    @discardableResult
    mutating func line(_ line: String = "") -> Bool {
        guard line.utf8.count < room else { return false }
        body += line
        body += "\n"
        return true
    }

    /// Adds lines as long as they fit, and answers how many did.
    @discardableResult
    mutating func lines(_ lines: some Sequence<String>) -> Int {
        var count = 0
        for line in lines {
            guard self.line(line) else { break }
            count += 1
        }
        return count
    }

    /// Adds a table (Markdown) with as many rows as fit, and answers how many did.
    @discardableResult
    mutating func table(_ head: [String], _ rows: some Sequence<[String]>) -> Int {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        guard line(row(head)), line("|" + String(repeating: "---|", count: head.count)) else { return 0 }
        return lines(rows.lazy.map { row($0.map { $0.replacing("|", with: "\\|") }) })
    }

    /// Adds a sentence at the end, as long as notes have room.
    mutating func note(_ sentence: String) {
        guard notes.utf8.count + sentence.utf8.count < Self.noteByteCountMax else { return }
        notes += sentence + "\n"
    }

    /// Notes that `shown` of `total` are there, when that is not all.
    mutating func noteCut(_ shown: Int, of total: Int, _ what: String, _ remedy: String) {
        if shown < total { note("Shown are \(shown) of \(total) \(what): \(remedy).") }
    }

    func finish() -> String {
        let text = body + notes
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    // MARK: Words

    /// A text of a span on one line, cut where it is long.
    static func word(_ text: String, _ length: Int = wordLengthMax) -> String {
        var word = ""
        // Texts may be long, and many are shown: what is cut off is not looked at.
        for (place, scalar) in text.unicodeScalars.enumerated() {
            guard place < length else { return word + "…" }
            word.unicodeScalars.append(isPlain(scalar) ? scalar : " ")
        }
        return word
    }

    /// Whether it neither controls anything, nor breaks the line, nor turns the direction of the text around it.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: false
        default: true
        }
    }

    /// A duration of three digits or so, such as `12.3ms`.
    static func duration(_ nanos: UInt64) -> String {
        var unit: UInt64 = 1
        while nanos / unit >= 1_000 { unit *= 10 }
        // Whole seconds are told apart however many there are.
        unit = min(unit, nanos >= 60_000_000_000 ? 1_000_000_000 : unit)
        let text = Value.text(ofNanos: Int64(clamping: nanos / unit * unit))
        return text.hasSuffix("m0s") ? String(text.dropLast(2)) : text
    }

    static func duration(_ nanos: Double) -> String { duration(NativeAPI.nanos(nanos)) }

    /// A count that may be one of a sample, such as `12` or `12.5`.
    static func count(_ count: Double) -> String {
        guard count.magnitude < 1e15 else { return "\(count)" }
        let tenths = (count * 10).rounded()
        let whole = Int64(tenths / 10)
        return Double(whole) * 10 == tenths ? "\(whole)" : "\(tenths / 10)"
    }

    static func percent(_ share: Double) -> String { "\(count(share * 100))%" }

    static func plural(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        count == 1 ? "1 \(one)" : "\(count) \(many ?? one + "s")"
    }

    /// What is wrong, where, and what would have been right.
    static func text(of error: APIError) -> String {
        var lines = [error.detail]
        if let syntax = error.syntax {
            lines.append("At line \(syntax.line), column \(syntax.column) of \(error.field ?? "the query").")
            if !syntax.expected.isEmpty {
                lines.append("Expected: \(syntax.expected.prefix(20).joined(separator: ", ")).")
            }
            if let suggestion = syntax.suggestion { lines.append("Did you mean: \(suggestion)") }
        }
        return lines.map { word($0, byteCountMax / 10) }.joined(separator: "\n")
    }
}
