// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore

extension MCPTool {
    static let compareTraces = MCPTool(
        "compare_traces",
        "Compare two traces",
        "Says what trace b does that trace a does not, and what takes it longer: a line a path that differs, greatest difference first.",
        .needed("a", "The trace to compare with: 1 to 32 hexadecimal digits."),
        .needed("b", "The trace to explain: 1 to 32 hexadecimal digits."),
        ask: compare
    )

    @Sendable private static func compare(_ api: API, _ call: APICall) async throws(APIError) -> MCPText {
        let first = try await MCPTrace("a", columns: .links, api, call)
        let second = try await MCPTrace("b", columns: .links, api, call)
        let comparison = Comparison(of: [first.batch], with: [second.batch])
        let changed = comparison.paths.filter { $0.change != .same }
        var answer = MCPText()
        answer.line("a: \(first.headline)")
        answer.line("b: \(second.headline)")
        guard !changed.isEmpty else {
            answer.line("No path differs by more than 10 % of its time.")
            return answer
        }
        let rows = changed.sorted { difference($0) > difference($1) }
        let shown = answer.table(
            ["path (last two operations)", "change", "spans a → b", "errors a → b", "time a → b", "self a → b"],
            rows.lazy.map { path in
                let parent = path.parent.map { "\(operation(comparison.paths[$0])) → " } ?? ""
                return [parent + operation(path), word(path.change)] + figures(path)
            }
        )
        answer.noteCut(shown, of: rows.count, "paths that differ", "look into either trace with get_trace")
        return answer
    }

    private static func operation(_ path: Comparison.Path) -> String {
        MCPText.operation(path.name.service, path.name.operation)
    }

    private static func word(_ change: Comparison.Change) -> String {
        switch change {
        case .onlyFirst: "only a"
        case .onlySecond: "only b"
        case .changed: "changed"
        case .same: "same"
        }
    }

    /// Nanoseconds of self time by which the sides differ, since a path's time holds that of those it leads to.
    private static func difference(_ path: Comparison.Path) -> Double {
        ((path.second?.selfNanos ?? 0) - (path.first?.selfNanos ?? 0)).magnitude
    }

    private static func figures(_ path: Comparison.Path) -> [String] {
        func both(_ text: (Comparison.Figures) -> String) -> String {
            "\(path.first.map(text) ?? "-") → \(path.second.map(text) ?? "-")"
        }
        return [
            both { MCPText.count($0.spanCount) }, both { MCPText.count($0.errorCount) },
            both { MCPText.duration($0.totalNanos) }, both { MCPText.duration($0.selfNanos) },
        ]
    }
}
