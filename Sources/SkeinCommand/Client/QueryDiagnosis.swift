// SPDX-License-Identifier: Apache-2.0

/// A query with a caret under what is wrong with it.
enum QueryDiagnosis {
    /// The lines to show.
    static func lines(query: String, problem: Problem, on terminal: Terminal) -> [String] {
        guard let position = problem.position, position.line >= 1, position.column >= 1 else { return [] }
        let source = query.split(separator: "\n", omittingEmptySubsequences: false)
        guard position.line <= source.count else { return [] }
        let line = source[position.line - 1]
        let before = TerminalText.harmless(
            String(String.UnicodeScalarView(line.unicodeScalars.prefix(position.column - 1)))
        )
        // The length counts UTF-8; what it covers of this line is what gets marked.
        let rest = String(String.UnicodeScalarView(line.unicodeScalars.dropFirst(position.column - 1)))
        let marked = String(decoding: rest.utf8.prefix(max(position.length, 0)), as: UTF8.self)
        let carets = String(repeating: "^", count: max(1, TerminalText.width(TerminalText.harmless(marked))))
        let margin = "  "
        var lines = [
            margin + TerminalText.harmless(String(line)),
            margin + String(repeating: " ", count: TerminalText.width(before)) + terminal.styled(carets, .error),
        ]
        if let suggestion = problem.suggestion {
            lines.append("Did you mean \(terminal.styled(TerminalText.harmless(suggestion), .bold))?")
        } else if let expected = problem.expected, !expected.isEmpty {
            lines.append("Expected \(expected.map { TerminalText.harmless($0) }.joined(separator: ", ")).")
        }
        return lines
    }
}
