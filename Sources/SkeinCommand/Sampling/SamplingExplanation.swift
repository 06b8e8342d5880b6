// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The answer of `POST /api/skein/v1/sampling/explain`.
struct SamplingExplanation: Decodable {
    struct Amount: Decodable {
        var traceCount: Int
        var spanCount: Int
        var byteCount: Int
    }

    struct Policy: Decodable {
        var name: String
        var matched: Amount
        var kept: Amount
        var dropped: Amount
        var examples: [String]
    }

    struct Decision: Decodable {
        var traceId: String
        var decision: String
        var reason: String
        var matched: [String]
    }

    struct Stored: Decodable {
        var traceCount: Int
        var spanCount: Int
    }

    struct Weights: Decodable {
        var before: Double
        var after: Double
        var outside: Double
    }

    var stored: Stored
    var sampleRate: Int
    var inspected: Amount
    var kept: Amount
    var weights: Weights
    var policies: [Policy]
    var decisions: [Decision]?

    /// The answer as it is shown.
    func lines(on terminal: Terminal) -> [String] {
        if let decision = decisions?.first { return lines(of: decision, on: terminal) }
        guard stored.traceCount > 0 else { return ["No trace is stored in this time."] }
        var lines = [
            "\(Figures.count(stored.traceCount)) traces with \(Figures.count(stored.spanCount)) spans are stored in this time."
        ]
        if sampleRate > 1 {
            lines.append(
                "Looked at one of \(sampleRate): \(Figures.count(inspected.traceCount)) traces. Counts are theirs."
            )
        }
        guard inspected.traceCount > 0 else { return lines + ["That is too few to tell: raise --limit."] }
        lines.append(
            "Kept would be \(text(kept)): \(Self.share(kept.traceCount, of: inspected.traceCount)) of the traces, "
                + "\(Self.share(kept.byteCount, of: inspected.byteCount)) of the bytes."
        )
        lines.append("By their weights these stand for \(Self.share(weights.after, of: weights.before)) of the spans.")
        if weights.outside > 0 {
            lines.append(
                "\(Self.share(weights.outside, of: weights.before)) of the spans are of traces that are never kept: they would be "
                    + "gone from the counts."
            )
        }
        lines.append("")
        var table = Table([
            .init(title: "POLICY", isElastic: true), .init(title: "IS ABOUT", alignment: .right),
            .init(title: "KEEPS", alignment: .right), .init(title: "SPANS", alignment: .right),
            .init(title: "BYTES", alignment: .right), .init(title: "DROPS", alignment: .right),
            .init(title: "EXAMPLE"),
        ])
        for policy in policies {
            table.add([
                .init(policy.name),
                .init(Self.share(policy.matched.traceCount, of: inspected.traceCount), .dim),
                .init(Figures.count(policy.kept.traceCount)),
                .init(Figures.count(policy.kept.spanCount)),
                .init(Figures.bytes(UInt64(max(policy.kept.byteCount, 0)))),
                .init(Figures.count(policy.dropped.traceCount)),
                .init(policy.examples.first ?? "", .dim),
            ])
        }
        return lines + table.lines(on: terminal)
    }

    private func lines(of decision: Decision, on terminal: Terminal) -> [String] {
        let verdict = terminal.styled(decision.decision == "keep" ? "kept" : "dropped", .bold)
        let matched = policies.map { policy in
            "  \(decision.matched.contains(policy.name) ? "yes" : "no ")  \(TerminalText.harmless(policy.name))"
        }
        return [
            "Trace \(TerminalText.harmless(decision.traceId)), \(text(inspected)), would be \(verdict) by "
                + "\(TerminalText.harmless(decision.reason)).",
            "Policies that it satisfies:",
        ] + matched
    }

    private func text(_ amount: Amount) -> String {
        let traces = amount.traceCount == 1 ? "" : "\(Figures.count(amount.traceCount)) traces, "
        let spans = amount.spanCount == 1 ? "1 span" : "\(Figures.count(amount.spanCount)) spans"
        return "\(traces)\(spans), \(Figures.bytes(UInt64(max(amount.byteCount, 0))))"
    }

    private static func share(_ part: Int, of whole: Int) -> String { share(Double(part), of: Double(whole)) }

    private static func share(_ part: Double, of whole: Double) -> String {
        String(format: "%.1f %%", whole > 0 ? part / whole * 100 : 0)
    }
}
