// SPDX-License-Identifier: Apache-2.0

/// Draws what two orchestrations of agents differ in: where they part, then time, agents and tools, the greatest differences first.
struct OrchestrationComparisonDrawing {
    private let comparison: OrchestrationComparisonAnswer
    private let ids: (a: String, b: String)
    private let terminal: Terminal
    private let limit: Int
    private let glyphs: Glyphs

    /// A drawing with at most `limit` rows in each part; `0` for all.
    init(_ comparison: OrchestrationComparisonAnswer, of ids: (a: String, b: String), on terminal: Terminal, limit: Int)
    {
        self.comparison = comparison
        self.ids = ids
        self.terminal = terminal
        self.limit = limit == 0 ? .max : limit
        glyphs = terminal.hasUnicode ? .unicode : .ascii
    }

    /// Every line of the drawing.
    func lines() -> [String] {
        let parts = [
            header(), divergence(),
            differences(comparison.timeClasses.map(Self.named), "TIME", "time class", counting: nil),
            differences(comparison.sessions, "AGENT", "agent", counting: "RUNS"),
            differences(comparison.tools, "TOOL", "tool"),
        ]
        return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    private func header() -> [String] {
        var table = Table([
            .init(title: ""), .init(title: "SESSION", isElastic: true), .init(title: "DURATION", alignment: .right),
            .init(title: "ERRORS", alignment: .right), .init(title: "TOKENS IN", alignment: .right),
            .init(title: "OUT", alignment: .right), .init(title: "COST", alignment: .right),
        ])
        let usage = comparison.usage
        for (name, id, nanos, errors, usage) in [
            ("A", ids.a, comparison.durationNanos.a, comparison.errorCount.a, usage.a),
            ("B", ids.b, comparison.durationNanos.b, comparison.errorCount.b, usage.b),
        ] {
            table.add([
                .init(name, .bold), .init(id), .init(Figures.duration(UInt64(nanos) ?? 0)), Self.errors(errors),
                .init(AgentFigures.tokens(usage.inputTokens)), .init(AgentFigures.tokens(usage.outputTokens)),
                .init(AgentFigures.dollars(usage.usd)),
            ])
        }
        var lines = table.lines(on: terminal)
        if comparison.isCut.a || comparison.isCut.b {
            let sides = comparison.isCut.a && comparison.isCut.b ? "both" : comparison.isCut.a ? "A" : "B"
            lines.append(
                terminal.styled(
                    "\(glyphs.warning) Only a part of \(sides) is compared: there is too much of it.",
                    .warning
                )
            )
        }
        return lines
    }

    private func divergence() -> [String] {
        guard let found = comparison.firstDivergence else {
            return [terminal.styled("Both take the same steps.", .dim)]
        }
        let title =
            found.index == 0
            ? "They differ from the first step:" : "They differ after \(Figures.count(found.index, "step")) in common:"
        return [terminal.styled(title, .dim), line("A", found.a), line("B", found.b)]
    }

    private func line(_ side: String, _ step: OrchestrationComparisonAnswer.Step?) -> String {
        let name = terminal.styled(side, .bold) + "  "
        guard let step else { return name + terminal.styled("nothing more", .dim) }
        let outcome = step.outcome.map { AgentFigures.isFailure($0) } ?? false
        let duration = Figures.duration(UInt64(step.durationNanos) ?? 0)
        let room = terminal.isWindow ? max(20, terminal.width - 30) : .max
        return name + TerminalText.shortened(TerminalText.harmless(step.signature), room) + "  \(duration)"
            + (step.outcome.map {
                "  " + terminal.styled(TerminalText.shortened(TerminalText.harmless($0), 14), outcome ? .error : .dim)
            } ?? "")
    }

    private func differences(
        _ found: [OrchestrationComparisonAnswer.Difference],
        _ title: String,
        _ noun: String,
        counting runs: String? = "CALLS"
    ) -> [String] {
        guard !found.isEmpty else { return [] }
        let sorted = found.sorted { abs(Self.change($0)) > abs(Self.change($1)) }
        var columns: [Table.Column] = [.init(title: title, isElastic: true)]
        if let runs {
            columns += [
                .init(title: "\(runs) A", alignment: .right), .init(title: "B", alignment: .right),
                .init(title: "ERRORS A", alignment: .right), .init(title: "B", alignment: .right),
            ]
        }
        columns += [
            .init(title: "TIME A", alignment: .right), .init(title: "B", alignment: .right),
            .init(title: "CHANGE", alignment: .right),
        ]
        var table = Table(columns)
        for difference in sorted.prefix(limit) {
            var row: [Table.Cell] = [.init(difference.name)]
            if runs != nil {
                let (count, errors) = (difference.count, difference.errorCount)
                row += [
                    .init(Figures.count(count.a)), .init(Figures.count(count.b), count.a == count.b ? .plain : .bold),
                    Self.errors(errors.a), Self.errors(errors.b),
                ]
            }
            let (a, b) = Self.nanos(difference)
            row += [.init(Figures.duration(a)), .init(Figures.duration(b)), Self.changeCell(a, b)]
            table.add(row)
        }
        let more = sorted.count - min(sorted.count, limit)
        let rest = "\(glyphs.more) \(Figures.count(more, "more \(noun)")); --limit 0 shows all."
        return table.lines(on: terminal) + (more > 0 ? [terminal.styled(rest, .dim)] : [])
    }

    private static func named(
        _ difference: OrchestrationComparisonAnswer.Difference
    ) -> OrchestrationComparisonAnswer.Difference {
        var named = difference
        named.name = AgentFigures.name(ofClass: difference.name)
        return named
    }

    private static func errors(_ count: Int) -> Table.Cell {
        count > 0 ? .init(Figures.count(count), .error) : .init("0", .dim)
    }

    private static func nanos(_ difference: OrchestrationComparisonAnswer.Difference) -> (a: UInt64, b: UInt64) {
        (UInt64(difference.durationNanos.a) ?? 0, UInt64(difference.durationNanos.b) ?? 0)
    }

    private static func change(_ difference: OrchestrationComparisonAnswer.Difference) -> Double {
        let (a, b) = nanos(difference)
        return Double(b) - Double(a)
    }

    private static func changeCell(_ a: UInt64, _ b: UInt64) -> Table.Cell {
        guard a != b else { return .init("=", .dim) }
        return b > a
            ? .init("+" + Figures.duration(b - a), .warning) : .init("-" + Figures.duration(a - b), .good)
    }
}
