// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension AgentForest {
    /// Agents that another one calls as a tool and that their client hangs below the workflow, beside their caller, as
    /// OpenLLMetry does with `ask_helper` and `helper`: such an agent stands below the call that is named after it and
    /// holds all of its time. Counts as rule 3: the step names the agent.
    ///
    /// - Returns: whether anything was moved.
    mutating func joinAgentTools() -> Bool {
        var hasAgentAbove = [Bool](repeating: false, count: count)
        for row in order where parents[row] >= 0 {
            hasAgentAbove[row] = hasAgentAbove[parents[row]] || spans[parents[row]].isNamedAgent
        }
        let agents = spans.indices.filter { spans[$0].isNamedAgent && spans[$0].work == nil && !hasAgentAbove[$0] }
        guard agents.count > 1 else { return false }
        var calls: [String: [Int]] = [:]
        var namesOfTool: [String: [String]] = [:]
        for row in spans.indices where hasAgentAbove[row] && spans[row].reportsToolCall {
            let tool = spans[row].toolName
            let names = namesOfTool[tool] ?? Self.agentNames(ofTool: tool)
            namesOfTool[tool] = names
            for name in names { calls[name, default: []].append(row) }
        }
        var isMoved = false
        for row in agents where rules[row] == 0 && !linkedRows.contains(row) {
            let rows = calls[Self.plain(spans[row].agent.name ?? "")] ?? []
            let end = rows.firstPlace { starts[$0] > starts[row] }
            let call = rows[max(0, end - 64)..<end].last { call in
                ends[call] >= ends[row] && nanos(of: call) > nanos(of: row)
                    && spans[call].traceID == spans[row].traceID
            }
            guard let call else { continue }
            parents[row] = call
            rules[row] = 3
            isMoved = true
        }
        return isMoved
    }

    /// The agents after which a tool may be named: `ask_web_helper` after itself, `web_helper` and `helper`.
    private static func agentNames(ofTool name: String) -> [String] {
        let words = plain(name).split(separator: "_")
        return (0..<min(words.count, 8)).map { words[$0...].joined(separator: "_") }
    }

    /// Lower case, with one underscore for whatever is neither letter nor digit.
    private static func plain(_ name: String) -> String {
        name.prefix(256).lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "_")
    }
}
