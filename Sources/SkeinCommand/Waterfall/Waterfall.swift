// SPDX-License-Identifier: Apache-2.0

/// Draws a trace: on the left its spans hanging on threads, on the right when each of them ran.
struct Waterfall {
    private let trace: TraceSkeleton
    private let terminal: Terminal
    private let selection: WaterfallSelection
    private let durationNanos: UInt64
    private let glyphs: Glyphs
    private let nameWidth: Int
    private let barWidth: Int
    /// Beyond this depth a tree is not drawn wider: a number says how deep a span is.
    private let depthMax: Int

    private static let durationWidth = 8
    private static let depthMax = 24

    /// A drawing of `trace`, which must be sound, with about `limit` rows; `0` for all.
    init(_ trace: TraceSkeleton, on terminal: Terminal, limit: Int) {
        self.trace = trace
        self.terminal = terminal
        selection = WaterfallSelection(trace.spans, limit: limit)
        durationNanos = UInt64(trace.durationNanos) ?? 0
        glyphs = terminal.hasUnicode ? .unicode : .ascii
        // Half of the width at most for names, no more than they need.
        let room = terminal.width - Self.durationWidth - 3
        let depths = Self.depths(trace.spans)
        let needed = selection.rows.reduce(20) { most, row in
            let service = trace.services[trace.spans.service[row]].name
            let operation = trace.operations[trace.spans.operation[row]]
            let indent = 3 * min(depths[row], Self.depthMax)
            return max(most, indent + TerminalText.width(service) + TerminalText.width(operation) + 5)
        }
        nameWidth = min(needed, max(20, room * 11 / 20))
        barWidth = max(8, room - nameWidth)
        depthMax = max(1, min(Self.depthMax, nameWidth / 6))
    }

    /// Every line of the drawing.
    func lines() -> [String] { header() + [""] + [axis()] + rows() + footer() }

    // MARK: Around the rows

    private func header() -> [String] {
        let root = [trace.rootServiceName, trace.rootSpanName].filter { !$0.isEmpty }.map { TerminalText.harmless($0) }
        let title = root.isEmpty ? "root span has not arrived" : root.joined(separator: "  ")
        var facts = [
            Figures.duration(durationNanos), Figures.count(trace.spanCount, "span"),
            Figures.count(trace.services.count, "service"),
        ]
        facts.append("started \(Figures.time(UInt64(trace.traceStartUnixNano) ?? 0)) UTC")
        if let sampled { facts.append(sampled) }
        if trace.pinned == true { facts.append("pinned") }
        let errors =
            trace.errorCount == 0
            ? terminal.styled("no errors", .dim)
            : terminal.styled(Figures.count(trace.errorCount, "error"), .error)
        return [
            terminal.styled(title, .bold) + "  " + terminal.styled(TerminalText.harmless(trace.traceId), .dim),
            facts.joined(separator: "  ") + "  " + errors,
        ] + legend()
    }

    /// How many traces this one stands for after sampling, such as `×10`; `nil` when it is just itself.
    private var sampled: String? {
        guard let weights = trace.spans.weight, let low = weights.min(), let high = weights.max(), high > 1 else {
            return nil
        }
        let sign = terminal.hasUnicode ? "×" : "x"
        return sign + (low == high ? Self.weight(high) : "\(Self.weight(low)) to \(sign)\(Self.weight(high))")
    }

    /// Up to two decimals.
    private static func weight(_ weight: Double) -> String {
        let rounded = (weight * 100).rounded() / 100
        return Int64(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
    }

    /// The services with their colours, as many as fit in two lines.
    private func legend() -> [String] {
        var lines = [""]
        var used = 0
        for (index, service) in trace.services.enumerated() {
            let name = TerminalText.harmless(service.name.isEmpty ? "unnamed service" : service.name)
            let text = TerminalText.shortened("\(name) \(service.spanCount)", 40)
            let width = TerminalText.width(text) + 4
            if used + width > terminal.width, used > 0 {
                if lines.count == 2 {
                    lines[1] += terminal.styled("+\(trace.services.count - index)", .dim)
                    break
                }
                lines.append("")
                used = 0
            }
            lines[lines.count - 1] += terminal.styled(glyphs.dot, .service(service.color)) + " \(text)  "
            used += width
        }
        return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }.filter { !$0.isEmpty }
    }

    /// Times at the quarters of the bars.
    private func axis() -> String {
        var line = [Character](repeating: " ", count: barWidth)
        for quarter in 0..<4 where barWidth >= 32 || quarter == 0 {
            let at = barWidth * quarter / 4
            let text = Figures.duration(UInt64(Double(durationNanos) * Double(quarter) / 4))
            for (offset, character) in "\(glyphs.tick)\(text)".enumerated() where at + offset < barWidth {
                line[at + offset] = character
            }
        }
        let margin = String(repeating: " ", count: nameWidth + Self.durationWidth + 3)
        return margin + terminal.styled(String(line), .dim)
    }

    private func footer() -> [String] {
        var lines: [String] = []
        let hidden = trace.spans.id.count - selection.rows.count
        if hidden > 0 {
            lines.append("")
            lines.append(
                terminal.styled(
                    "\(Figures.count(hidden, "span")) not shown: failed and long spans come first; "
                        + "--limit 0 shows everything.",
                    .dim
                )
            )
        }
        if !trace.warnings.isEmpty { lines.append("") }
        for warning in trace.warnings {
            lines.append(terminal.styled("\(glyphs.warning) \(TerminalText.harmless(warning.message))", .warning))
        }
        return lines
    }

    // MARK: Rows

    private func rows() -> [String] {
        var lines: [String] = []
        let hangers = Hangers(parents: trace.spans.parent, shown: selection.rows)
        let depths = Self.depths(trace.spans)
        var missing: [Int: String] = [:]
        for group in trace.missingParents {
            if let first = group.rows.min() { missing[first] = group.spanId }
        }
        for row in selection.rows {
            if let id = missing[row] {
                lines.append(terminal.styled("\(glyphs.missing) \(TerminalText.harmless(id)) has not arrived", .dim))
            }
            lines.append(line(of: row, depth: depths[row], hangers: hangers))
            if let count = selection.hiddenBelow[row] {
                let stem = hangers.stem(below: row, glyphs, depthMax: depthMax)
                lines.append(terminal.styled("\(stem)\(glyphs.more) \(Figures.count(count)) more below", .dim))
            }
        }
        if selection.hiddenRoots > 0 {
            lines.append(terminal.styled("\(glyphs.more) \(Figures.count(selection.hiddenRoots)) more", .dim))
        }
        return lines
    }

    private func line(of row: Int, depth: Int, hangers: Hangers) -> String {
        let spans = trace.spans
        let service = trace.services[spans.service[row]]
        let isError = spans.status[row] == 2
        var stem = hangers.stem(of: row, glyphs, depthMax: depthMax)
        if depth > depthMax { stem += "\(depth) " }

        let serviceName = TerminalText.harmless(service.name.isEmpty ? "?" : service.name)
        let operation = TerminalText.harmless(trace.operations[spans.operation[row]])
        let mark = isError ? "\(glyphs.error) " : ""
        let room = nameWidth - TerminalText.width(stem) - TerminalText.width(mark)
        let shownService = TerminalText.shortened(serviceName, max(4, room * 2 / 3), ellipsis: glyphs.ellipsis)
        let shownOperation = TerminalText.fitted(
            operation,
            max(0, room - TerminalText.width(shownService) - 1),
            ellipsis: glyphs.ellipsis
        )
        let duration = TerminalText.fitted(
            Figures.duration(spans.duration[row]),
            Self.durationWidth,
            alignment: .right
        )
        return terminal.styled(stem, .dim) + terminal.styled(mark, .error)
            + terminal.styled(shownService, .service(service.color)) + " "
            + terminal.styled(shownOperation, isError ? .error : .plain) + " "
            + terminal.styled(duration, isError ? .error : .plain) + "  "
            + terminal.styled(bar(of: row), isError ? .error : .service(service.color))
    }

    /// The bar of a row, without blanks at the end. A terminal cell has two halves, so the bar's ends are exact to half
    /// a cell, and even the shortest span shows half a one.
    private func bar(of row: Int) -> String {
        let halves = Double(barWidth * 2)
        let scale = durationNanos > 0 ? halves / Double(durationNanos) : 0
        let start = min(Int(Double(trace.spans.start[row]) * scale), barWidth * 2 - 1)
        let (endNanos, isOver) = trace.spans.start[row].addingReportingOverflow(trace.spans.duration[row])
        let exactEnd = isOver ? halves : (Double(endNanos) * scale).rounded()
        let end = durationNanos == 0 ? barWidth * 2 : min(max(Int(min(exactEnd, halves)), start + 1), barWidth * 2)
        var text = String(repeating: " ", count: start / 2)
        for cell in (start / 2)..<((end + 1) / 2) {
            let hasLeft = cell * 2 >= start
            let hasRight = cell * 2 + 1 < end
            text += hasLeft && hasRight ? glyphs.full : hasLeft ? glyphs.leftHalf : glyphs.rightHalf
        }
        return text
    }

    /// How many rows stand above each row.
    static func depths(_ spans: TraceSkeleton.Columns) -> [Int] {
        var depths = [Int](repeating: 0, count: spans.parent.count)
        for row in spans.parent.indices where spans.parent[row] >= 0 { depths[row] = depths[spans.parent[row]] + 1 }
        return depths
    }
}

/// The signs of a drawing.
struct Glyphs {
    var branch: String
    var last: String
    var pass: String
    var gap: String
    var dot: String
    var tick: String
    var full: String
    var leftHalf: String
    var rightHalf: String
    var error: String
    var warning: String
    var missing: String
    var more: String
    var ellipsis: String

    static let unicode = Glyphs(
        branch: "├─ ",
        last: "╰─ ",
        pass: "│  ",
        gap: "   ",
        dot: "●",
        tick: "╵",
        full: "━",
        leftHalf: "╸",
        rightHalf: "╺",
        error: "✗",
        warning: "⚠",
        missing: "╌",
        more: "⋯",
        ellipsis: "…"
    )
    static let ascii = Glyphs(
        branch: "|- ",
        last: "`- ",
        pass: "|  ",
        gap: "   ",
        dot: "*",
        tick: "|",
        full: "=",
        leftHalf: "=",
        rightHalf: "=",
        error: "x",
        warning: "!",
        missing: "-",
        more: "...",
        ellipsis: "~"
    )
}
