// SPDX-License-Identifier: Apache-2.0

/// Draws a comparison: on the left the paths as a tree, then what each side has of them, on the right who takes more time.
struct ComparisonDrawing {
    private let comparison: ComparisonAnswer
    private let terminal: Terminal
    private let selection: ComparisonSelection
    private let glyphs: Glyphs
    private let colors: [String: Int]
    private let countWidth: Int
    private let nameWidth: Int
    private let barWidth: Int
    private let depthMax: Int
    /// The greatest difference of own time that is shown: the length of a whole bar.
    private let differenceMax: Double

    private static let durationWidth = 8
    private static let differenceWidth = 9
    private static let barWidthMax = 24

    /// A drawing of `comparison`, which must be sound, with about `limit` rows; `0` for all.
    init(_ comparison: ComparisonAnswer, on terminal: Terminal, limit: Int) {
        self.comparison = comparison
        self.terminal = terminal
        glyphs = terminal.hasUnicode ? .unicode : .ascii
        selection = ComparisonSelection(comparison.paths, limit: limit)
        colors = Dictionary(comparison.services.map { ($0.name, $0.color) }) { first, _ in first }
        let shown = selection.rows.map { comparison.paths[$0] }
        differenceMax = shown.map { abs($0.selfDifference) }.max() ?? 0
        let arrow = terminal.hasUnicode ? "→" : ">"
        countWidth = shown.map { TerminalText.width(Self.counts($0, arrow)) }.reduce(5, max)
        // What stands beside the names: the mark, the counts, two durations, the difference and what lies between.
        let room = terminal.width - 2 - countWidth - 2 * Self.durationWidth - Self.differenceWidth - 8
        let needed = shown.map { 3 * min($0.depth, 24) + TerminalText.width($0.service + $0.operation) + 1 }.reduce(
            12,
            max
        )
        nameWidth = max(12, min(needed, room - 8))
        barWidth = max(0, min(room - nameWidth - 2, Self.barWidthMax))
        depthMax = max(1, nameWidth / 6)
    }

    /// Every line of the drawing.
    func lines() -> [String] {
        header() + [""] + (selection.rows.isEmpty ? [] : [heading()] + rows() + [""]) + [footer()]
    }

    // MARK: Around the rows

    private func header() -> [String] {
        let sides = [("A", comparison.a), ("B", comparison.b)]
        let titleWidth = sides.map { TerminalText.width(Self.title($1)) }.reduce(0, max)
        return sides.map { name, side in
            let title = TerminalText.fitted(Self.title(side), titleWidth)
            let errors =
                side.errorCount == 0
                ? terminal.styled("no errors", .dim)
                : terminal.styled("\(Self.number(side.errorCount)) error\(side.errorCount == 1 ? "" : "s")", .error)
            let duration = Figures.duration(UInt64(side.durationNanos) ?? 0)
            return terminal.styled(name, .bold) + "  \(title)  \(TerminalText.fitted(duration, 8, alignment: .right))  "
                + "\(Self.number(side.spanCount)) span\(side.spanCount == 1 ? "" : "s")  \(errors)"
        }
    }

    private static func title(_ side: ComparisonAnswer.Side) -> String {
        side.traceIds.count == 1
            ? TerminalText.harmless(side.traceIds[0]) : "average of \(Figures.count(side.traceIds.count, "trace"))"
    }

    private func heading() -> String {
        var line = "  " + TerminalText.fitted("PATH", nameWidth)
        for (title, width) in [("SPANS", countWidth), ("A", Self.durationWidth), ("B", Self.durationWidth)] {
            line += "  " + TerminalText.fitted(title, width, alignment: .right)
        }
        return terminal.styled(
            line + "  " + TerminalText.fitted("OWN TIME", Self.differenceWidth, alignment: .right),
            .dim
        )
    }

    private func footer() -> String {
        let changes = comparison.changes
        var parts = [
            "\(Figures.count(changes.onlyA)) only in A", "\(Figures.count(changes.onlyB)) only in B",
            "\(Figures.count(changes.changed)) changed", "\(Figures.count(changes.same)) the same",
        ]
        if selection.hiddenChangeCount > 0 {
            parts.append(
                "\(Figures.count(selection.hiddenChangeCount)) that differ not shown: --limit 0 shows everything"
            )
        }
        return terminal.styled(parts.joined(separator: ", ") + ".", .dim)
    }

    // MARK: Rows

    private func rows() -> [String] {
        let hangers = Hangers(parents: comparison.paths.map(\.parent), shown: selection.rows)
        return selection.rows.map { line(of: $0, hangers) }
    }

    private func line(of row: Int, _ hangers: Hangers) -> String {
        let path = comparison.paths[row]
        let (mark, style) = Self.mark(path.change)
        let arrow = terminal.hasUnicode ? "→" : ">"
        var line =
            terminal.styled(mark, style) + " "
            + name(of: path, hangers.stem(of: row, glyphs, depthMax: depthMax), style)
        line += "  " + TerminalText.fitted(Self.counts(path, arrow), countWidth, alignment: .right)
        for side in [path.a, path.b] {
            let text = side.map { Figures.duration(UInt64($0.totalNanos) ?? 0) } ?? "-"
            let cell = TerminalText.fitted(text, Self.durationWidth, alignment: .right)
            line += "  " + terminal.styled(cell, (side?.errorCount ?? 0) > 0 ? .error : side == nil ? .dim : .plain)
        }
        return line + "  " + difference(of: path)
    }

    /// The stem, the service in its colour and the operation, in ``nameWidth`` columns.
    private func name(of path: ComparisonAnswer.Path, _ stem: String, _ style: Terminal.Style) -> String {
        let room = max(0, nameWidth - TerminalText.width(stem))
        let service = TerminalText.shortened(
            TerminalText.harmless(path.service.isEmpty ? "?" : path.service),
            max(4, room * 2 / 3),
            ellipsis: glyphs.ellipsis
        )
        let operation = TerminalText.fitted(
            TerminalText.harmless(path.operation),
            max(0, room - TerminalText.width(service) - 1),
            ellipsis: glyphs.ellipsis
        )
        return terminal.styled(stem, .dim) + terminal.styled(service, .service(colors[path.service] ?? 0)) + " "
            + terminal.styled(operation, style)
    }

    /// How much more of its own time B takes, and a bar of that length: red where it takes more, green where less.
    private func difference(of path: ComparisonAnswer.Path) -> String {
        let difference = path.selfDifference
        let style: Terminal.Style = difference == 0 ? .dim : difference > 0 ? .error : .good
        let size = Figures.duration(UInt64(exactly: abs(difference).rounded()) ?? .max)
        let text = difference == 0 ? "=" : difference > 0 ? "+\(size)" : "-\(size)"
        let cell = TerminalText.fitted(text, Self.differenceWidth, alignment: .right)
        let halves = differenceMax > 0 ? Int((abs(difference) / differenceMax * Double(barWidth * 2)).rounded()) : 0
        let bar = String(repeating: glyphs.full, count: halves / 2) + (halves % 2 == 1 ? glyphs.leftHalf : "")
        return terminal.styled(cell, style) + (bar.isEmpty ? "" : "  " + terminal.styled(bar, style))
    }

    private static func mark(_ change: ComparisonAnswer.Change) -> (String, Terminal.Style) {
        switch change {
        case .onlyA: ("-", .error)
        case .onlyB: ("+", .good)
        case .changed: ("~", .warning)
        case .same: (" ", .dim)
        }
    }

    /// `3`, or `3 → 5` where the sides differ.
    private static func counts(_ path: ComparisonAnswer.Path, _ arrow: String) -> String {
        let (mine, theirs) = (number(path.a?.spanCount ?? 0), number(path.b?.spanCount ?? 0))
        return mine == theirs ? mine : "\(mine) \(arrow) \(theirs)"
    }

    /// A whole number, or one with a digit behind the point.
    private static func number(_ value: Double) -> String {
        guard let whole = Int(exactly: value.rounded()) else { return "\(value)" }
        if abs(value - Double(whole)) < 0.05 { return Figures.count(whole) }
        return "\((value * 10).rounded() / 10)"
    }
}
