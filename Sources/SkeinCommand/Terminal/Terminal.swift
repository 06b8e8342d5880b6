// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What the other end of an output can show.
struct Terminal: Sendable {
    /// Columns of text; where there is no window, those of a drawing.
    var width: Int
    /// Whether there is a window, which lines must fit. A program that reads wants whole words.
    var isWindow = true
    /// Whether colours may be used.
    var hasColor: Bool
    /// Whether more than ASCII can be shown.
    var hasUnicode: Bool

    /// Columns of text where nobody says how many.
    static let defaultWidth = 100

    /// What standard output is, by the system and the environment (`NO_COLOR`, `CLICOLOR_FORCE`, `TERM`, `COLUMNS`).
    static func standardOutput(environment: [String: String] = ProcessInfo.processInfo.environment) -> Terminal {
        behind(STDOUT_FILENO, environment)
    }

    /// What standard error is.
    static func standardError(environment: [String: String] = ProcessInfo.processInfo.environment) -> Terminal {
        behind(STDERR_FILENO, environment)
    }

    /// Whether progress lines would be seen.
    static var isStandardErrorShown: Bool { isatty(STDERR_FILENO) == 1 }

    private static func behind(_ descriptor: Int32, _ environment: [String: String]) -> Terminal {
        let isTerminal = isatty(descriptor) == 1
        let isMuted = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        let isForced = environment["CLICOLOR_FORCE"].map { !$0.isEmpty && $0 != "0" } ?? false
        // A machine that says nothing of a locale is of this century.
        let locale =
            [environment["LC_ALL"], environment["LC_CTYPE"], environment["LANG"]]
            .compactMap { $0 }.first { !$0.isEmpty }?.uppercased() ?? "UTF-8"
        return Terminal(
            width: (isTerminal ? windowWidth(descriptor) : nil) ?? environment["COLUMNS"].flatMap { Int($0) }
                ?? defaultWidth,
            isWindow: isTerminal,
            hasColor: !isMuted && (isForced || (isTerminal && environment["TERM"] != "dumb")),
            hasUnicode: locale.contains("UTF-8") || locale.contains("UTF8")
        ).bounded
    }

    private static func windowWidth(_ descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    private var bounded: Terminal {
        var copy = self
        copy.width = min(max(width, 40), 400)
        return copy
    }

    /// How a piece of text looks.
    enum Style: Hashable, Sendable {
        case plain, bold, dim, error, warning, good
        /// A colour of the service palette.
        case service(Int)
    }

    /// `text` in `style`, or as it is when colours may not be used.
    func styled(_ text: String, _ style: Style) -> String {
        guard hasColor, !text.isEmpty else { return text }
        let code: String
        switch style {
        case .plain: return text
        case .bold: code = "1"
        case .dim: code = "2"
        case .error: code = "31"
        case .warning: code = "33"
        case .good: code = "32"
        case .service(let index): code = "38;5;\(Self.palette[index % Self.palette.count])"
        }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }

    /// Pieces of text from anywhere one after the other: in lines that fit a window that is `indent` columns narrower, none of
    /// which breaks a piece, or in a single one for a program. A separator that is seen stands at the end of a line, too.
    func wrapped(_ pieces: [(text: String, style: Style)], separator: String = "  ", indent: Int = 0) -> [String] {
        let room = isWindow ? max(20, width - indent) : .max
        let gap = TerminalText.width(separator)
        let sign = separator.trimmingPrefix(" ").prefix { $0 != " " }
        let tail = sign.isEmpty ? 0 : TerminalText.width(String(sign)) + 1
        var lines: [String] = []
        var filled = 0
        for piece in pieces {
            let text = TerminalText.shortened(TerminalText.harmless(piece.text), room)
            let needed = TerminalText.width(text)
            if let last = lines.indices.last, needed <= room - filled - gap - tail {
                lines[last] += separator + styled(text, piece.style)
                filled += gap + needed
            } else {
                if tail > 0, let last = lines.indices.last { lines[last] += " \(sign)" }
                lines.append(styled(text, piece.style))
                filled = needed
            }
        }
        return lines
    }

    /// Twelve of the 256 colours that are told apart on dark and on light ground; red is kept for errors.
    private static let palette = [33, 172, 36, 134, 142, 38, 168, 70, 97, 137, 67, 179]
}
