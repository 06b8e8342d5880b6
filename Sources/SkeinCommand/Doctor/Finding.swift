// SPDX-License-Identifier: Apache-2.0

/// Something that `skein doctor` looked at.
struct Finding: Encodable, Sendable {
    enum Verdict: String, Encodable, Sendable { case ok, note, problem }

    /// What was looked at.
    var subject: String
    var verdict: Verdict
    /// What was found.
    var message: String
    /// What to do about it.
    var remedy: String?

    static func ok(_ subject: String, _ message: String) -> Finding {
        Finding(subject: subject, verdict: .ok, message: message)
    }

    static func note(_ subject: String, _ message: String, remedy: String? = nil) -> Finding {
        Finding(subject: subject, verdict: .note, message: message, remedy: remedy)
    }

    static func problem(_ subject: String, _ message: String, remedy: String) -> Finding {
        Finding(subject: subject, verdict: .problem, message: message, remedy: remedy)
    }

    /// A line, and a second one with the remedy.
    func lines(on terminal: Terminal) -> [String] {
        let (sign, style): (String, Terminal.Style) =
            switch verdict {
            case .ok: (terminal.hasUnicode ? "✓" : "ok", .good)
            case .note: (terminal.hasUnicode ? "•" : "--", .warning)
            case .problem: (terminal.hasUnicode ? "✗" : "!!", .error)
            }
        let label = TerminalText.fitted(TerminalText.harmless(subject), 16)
        var lines = [
            "\(terminal.styled(sign, style)) \(terminal.styled(label, .dim)) \(TerminalText.harmless(message))"
        ]
        if let remedy {
            let margin = String(repeating: " ", count: TerminalText.width(sign) + 18)
            lines.append(
                margin + terminal.styled((terminal.hasUnicode ? "→ " : "-> ") + TerminalText.harmless(remedy), .bold)
            )
        }
        return lines
    }
}
