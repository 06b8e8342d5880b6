// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinRecording
import Tracing

/// A tree of spans as lines for a terminal: when it began, names by depth, how long each took, and what went wrong.
///
///     12:03:11.204 ▶ POST /orders          57.9 ms  ✖ no stock   trace 4bf92f3577b34da6a3ce929d0e0e4736
///                  ├─ validate             1.2 ms
///                  ├─ → POST inventory    38.4 ms  ⚠ 503
///                  │  └─ retry            12.0 ms
///                  └─ → INSERT orders     running
struct TreeText {
    let isColored: Bool
    /// Hours, minutes and seconds of seconds since 1970, where the terminal stands.
    let clock: @Sendable (Int64) -> (hour: Int, minute: Int, second: Int)

    private static let nameCountMax = 80
    private static let messageCountMax = 200
    /// Names are padded so far, that durations stand below each other.
    private static let paddedCountMax = 60
    /// As deep as lines are indented; what is below stands as if it were there.
    private static let depthMax = 40
    private static let indentation = String(repeating: " ", count: 13)

    private struct Row {
        var glyphs: String
        var name: String
        var duration: String
        var trouble: String
        var isError: Bool
    }

    func text(of tree: TraceTrees.Tree) -> String {
        let rows = rows(of: tree)
        let width = min(Self.paddedCountMax, rows.map { $0.glyphs.count + $0.name.count }.max() ?? 0)
        let durationWidth = rows.map(\.duration.count).max() ?? 0
        var text = ""
        for (index, row) in rows.enumerated() {
            text += index == 0 ? dim(time(of: tree)) + " " : Self.indentation
            text += dim(row.glyphs) + (index == 0 ? style("1", row.name) : row.name)
            text += pad(width - row.glyphs.count - row.name.count) + "  "
            text += pad(durationWidth - row.duration.count) + row.duration
            if !row.trouble.isEmpty { text += "  " + style(row.isError ? "31" : "33", row.trouble) }
            if index == 0 {
                text += "   " + dim("trace \(tree.root.traceID)")
                if let parent = tree.parent {
                    text += dim(" in \(TerminalText.harmless(parent, count: Self.nameCountMax))")
                }
            }
            text += "\n"
        }
        return text
    }

    /// Depth first, children in their order.
    private func rows(of tree: TraceTrees.Tree) -> [Row] {
        var rows: [Row] = []
        var open: [(key: TraceTrees.Key, own: String, below: String, depth: Int)] = [(tree.root, "", "", 0)]
        while let (key, own, below, depth) = open.popLast() {
            guard let node = tree.nodes[key] else { continue }
            rows.append(row(node, glyphs: own))
            for (index, child) in node.children.enumerated().reversed() {
                let isLast = index == node.children.count - 1
                let lead = depth < Self.depthMax ? below : String(below.dropLast(3))
                open.append((child, lead + (isLast ? "└─ " : "├─ "), lead + (isLast ? "   " : "│  "), depth + 1))
            }
        }
        return rows
    }

    private func row(_ node: TraceTrees.Node, glyphs: String) -> Row {
        let name = TerminalText.harmless(node.name, count: Self.nameCountMax)
        guard let span = node.span else {
            return Row(glyphs: glyphs, name: name, duration: "running", trouble: "", isError: false)
        }
        let state = span.state
        let isError = state.status?.code == .error
        return Row(
            glyphs: glyphs,
            name: arrow(span.kind) + name,
            duration: TerminalText.duration(span.endUnixNanos - span.recording.startUnixNanos),
            trouble: TerminalText.harmless(trouble(state, isError), count: Self.messageCountMax),
            isError: isError
        )
    }

    private func arrow(_ kind: SpanKind) -> String {
        switch kind {
        case .server, .consumer: "▶ "
        case .client, .producer: "→ "
        case .internal: ""
        }
    }

    private func trouble(_ state: RecordingSpan.State, _ isError: Bool) -> String {
        func value(_ key: String, _ attributes: RecordedAttributes) -> RecordedValue? {
            attributes.pairs.first { $0.key == key }?.value
        }
        var code = ""
        for key in ["http.response.status_code", "http.status_code"] {
            if case .int(let number)? = value(key, state.attributes), number >= 400 { code = String(number) }
        }
        guard isError else { return code.isEmpty ? "" : "⚠ \(code)" }
        let exception = state.events.last { $0.name == "exception" }
        let texts = [
            state.status?.message, exception.flatMap { value("exception.message", $0.attributes)?.text },
            value("error.type", state.attributes)?.text,
        ]
        let reason = texts.compactMap(\.self).first { !$0.isEmpty } ?? ""
        return "✖ " + [code, reason].filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func time(of tree: TraceTrees.Tree) -> String {
        let known = tree.nodes[tree.root]?.span ?? tree.nodes.values.compactMap(\.span).min { $0.start < $1.start }
        guard let nanos = known?.start else { return pad(Self.indentation.count - 1) }
        let (hour, minute, second) = clock(Int64(nanos / 1_000_000_000))
        let millis = String(nanos / 1_000_000 % 1000)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let zeros = String(repeating: "0", count: 3 - millis.count)
        return "\(two(hour)):\(two(minute)):\(two(second)).\(zeros)\(millis)"
    }

    private func pad(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    private func dim(_ text: String) -> String { style("2", text) }

    /// `text` with a parameter of SGR (ECMA-48 §8.3.117).
    private func style(_ parameter: String, _ text: String) -> String {
        isColored && !text.isEmpty ? "\u{1b}[\(parameter)m\(text)\u{1b}[0m" : text
    }
}

extension FinishedSpan {
    fileprivate var start: UInt64 { recording.startUnixNanos }
}
