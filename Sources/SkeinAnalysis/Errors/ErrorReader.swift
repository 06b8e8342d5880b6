// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Finds what the spans of one batch say of errors.
struct ErrorReader {
    private let batch: SpanBatch
    private let exception: SpanBatch.Ref?
    private var keys = KnownKeys(["exception.type", "exception.message", "exception.stacktrace", "error.type"])

    /// One error.
    struct Occurrence {
        var type = ""
        var message = ""
        var stackTrace = ""
        var unixNanos: UInt64 = 0
    }

    init(_ batch: SpanBatch) {
        self.batch = batch
        exception = batch.events.nameRefs.isEmpty ? nil : batch.dictionary.ref(of: "exception")
        keys.open(batch)
    }

    /// Whether any span may have an error.
    var hasErrors: Bool { exception != nil || batch.statusCodes.contains(Span.Status.Code.error.rawValue) }

    /// Whether span `row` failed.
    func isError(_ row: Int) -> Bool { batch.statusCodes[row] == Span.Status.Code.error.rawValue }

    /// The errors of span `row`.
    mutating func occurrences(at row: Int) -> [Occurrence] {
        var found: [Occurrence] = []
        for event in batch.events.range(of: row) where batch.events.nameRefs[event] == exception {
            var error = Occurrence(unixNanos: batch.events.timeUnixNanos[event])
            read(batch.events.attributes, of: event, into: &error)
            found.append(error)
        }
        guard found.isEmpty, isError(row) else { return found }
        var error = Occurrence(unixNanos: batch.endUnixNanos(at: row))
        read(batch.attributes, of: row, into: &error)
        error.message = batch.dictionary.string(SpanBatch.value(batch.statusMessageRefs, row, default: 0))
        return [error]
    }

    private mutating func read(_ table: SpanBatch.AttributeTable, of owner: Int, into error: inout Occurrence) {
        for pair in table.range(of: owner) {
            guard let key = keys.number(table.keyRefs[pair], in: batch),
                case .string(let text) = batch.dictionary.value(table.valueRefs[pair])
            else { continue }
            switch key {
            case 1: error.message = text
            case 2: error.stackTrace = text
            default: if error.type.isEmpty { error.type = text }
            }
        }
    }
}

/// A place in a program, as a stack trace names it.
enum StackFrame {
    /// The line of the innermost frame, at most 200 bytes of it; empty when `trace` has none.
    ///
    /// Most languages write it first, each frame as `at …`, as a file and a line number, or numbered. Python writes
    /// `File "…"` and writes it last.
    static func innermost(in trace: String) -> String {
        let lines = trace.utf8.prefix(65_536).split { $0 == 0x0a || $0 == 0x0d }
            .map { $0.drop { $0 == 0x20 || $0 == 0x09 } }
        let python = lines.last { $0.starts(with: "File \"".utf8) }
        let frame = python ?? lines.first { $0.starts(with: "at ".utf8) } ?? lines.first(where: namesLine)
        return frame.map { String(decoding: $0.prefix(200), as: UTF8.self) } ?? ""
    }

    /// Whether it has a colon with a number behind, as in `main.go:42`.
    private static func namesLine(_ line: Substring.UTF8View) -> Bool {
        guard let colon = line.lastIndex(of: UInt8(ascii: ":")), colon != line.startIndex else { return false }
        let behind = line[line.index(after: colon)...]
        guard let digit = behind.first, (0x30...0x39).contains(digit) else { return false }
        // A name of a file has a full stop.
        return line[..<colon].contains(UInt8(ascii: "."))
    }
}
