// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// One row of the second table: what the name of a span says where its attributes do not.
///
/// Rules are asked in their order. A rule that says a kind is for spans that have none yet; one that fills a field takes
/// what stands for `*`.
package struct NameRule: Sendable {
    /// The name, with at most one `*` for any text of at least one character.
    package var pattern: String
    package var dialect: AgentSpan.Dialect
    package var says: Says
    /// What the part for `*` is; `nil` when it says nothing.
    package var field: Mapping.Field?
    /// The kinds of spans for whose ``field`` the rule is; empty for all.
    package var kinds: [AgentSpan.Kind]
    /// Whether only the dialect's own spans are meant, since anyone may use the name.
    package var isOwn: Bool
    package var example: String
    /// What ``field`` is after ``example`` was read.
    package var reads: String?

    private let head: String
    private let tail: String
    private let hasPart: Bool

    /// What a rule says of the kind.
    package enum Says: Sendable, Hashable {
        case kind(AgentSpan.Kind)
        /// The span is known, and does no agent's work.
        case none
        /// Another rule or the attributes say it.
        case nothing
    }

    init(
        _ pattern: String,
        _ dialect: AgentSpan.Dialect,
        _ says: Says,
        _ field: Mapping.Field? = nil,
        of kinds: [AgentSpan.Kind] = [],
        isOwn: Bool = false,
        example: String,
        reads: String? = nil
    ) {
        self.pattern = pattern
        self.dialect = dialect
        self.says = says
        self.field = field
        self.kinds = kinds
        self.isOwn = isOwn
        self.example = example
        self.reads = reads
        let star = pattern.utf8.firstIndex(of: UInt8(ascii: "*"))
        hasPart = star != nil
        head = String(pattern[..<(star ?? pattern.endIndex)])
        tail = star.map { String(pattern[pattern.utf8.index(after: $0)...]) } ?? ""
    }

    /// What of `name` stands for `*`, all of it where the pattern has none; `nil` when the name is another.
    func part(of name: String) -> Substring? {
        guard hasPart else { return name.isExactly(pattern) ? name[...] : nil }
        let bytes = name.utf8
        guard bytes.count > head.utf8.count + tail.utf8.count, bytes.starts(with: head.utf8),
            bytes.suffix(tail.utf8.count).elementsEqual(tail.utf8)
        else { return nil }
        return Substring(bytes.dropFirst(head.utf8.count).dropLast(tail.utf8.count))
    }

    /// All rules.
    package static let table: [NameRule] = [
        // The Model Context Protocol: `^(MCP send )?tools/call (.+)$`.
        NameRule(
            "MCP send tools/call *",
            .mcp,
            .kind(.tool),
            .toolName,
            of: [.tool],
            example: "MCP send tools/call add",
            reads: "add"
        ),
        NameRule("tools/call *", .mcp, .kind(.tool), .toolName, of: [.tool], example: "tools/call add", reads: "add"),
        NameRule("MCP send *", .mcp, .kind(.protocolCall), example: "MCP send server/discover"),
        // Claude Code. What it waits for a user, the reader decides by its `source`.
        NameRule("claude_code.interaction", .claudeCode, .kind(.agent), example: "claude_code.interaction"),
        NameRule("claude_code.llm_request", .claudeCode, .kind(.llm), example: "claude_code.llm_request"),
        NameRule("claude_code.tool", .claudeCode, .kind(.tool), example: "claude_code.tool"),
        NameRule("claude_code.*", .claudeCode, .none, example: "claude_code.tool.execution"),
        // Codex: some hundred spans of its inside for each turn.
        NameRule("session_task.turn", .codex, .kind(.agent), isOwn: true, example: "session_task.turn"),
        NameRule(
            "model_client.stream_responses*",
            .codex,
            .kind(.llm),
            isOwn: true,
            example: "model_client.stream_responses_websocket"
        ),
        NameRule(
            "model_client.stream_responses",
            .codex,
            .kind(.llm),
            isOwn: true,
            example: "model_client.stream_responses"
        ),
        NameRule("mcp.tools.call", .codex, .kind(.tool), isOwn: true, example: "mcp.tools.call"),
        NameRule("*", .codex, .none, isOwn: true, example: "submission_dispatch"),
        // Handoffs; the reader takes the part apart at its arrow.
        NameRule(
            "Handoff: *",
            .logfire,
            .kind(.handoff),
            .handoffTo,
            of: [.handoff],
            example: "Handoff: a → b",
            reads: "b"
        ),
        NameRule(
            "*.handoff",
            .openLLMetry,
            .kind(.handoff),
            .handoffTo,
            of: [.handoff],
            example: "a → b.handoff",
            reads: "b"
        ),
        NameRule(
            "handoff to *",
            .openInference,
            .kind(.handoff),
            .handoffTo,
            of: [.handoff],
            example: "handoff to coder",
            reads: "coder"
        ),
        // Logfire and pydantic-ai.
        NameRule(
            "Agent run: *",
            .logfire,
            .kind(.agent),
            .agentName,
            of: [.agent],
            example: "Agent run: 'planner'",
            reads: "planner"
        ),
        NameRule("agent run", .logfire, .kind(.agent), example: "agent run"),
        NameRule("OpenAI Agents trace: *", .logfire, .kind(.workflow), example: "OpenAI Agents trace: Agent workflow"),
        NameRule("running tools", .logfire, .none, example: "running tools"),
        NameRule("running * tools", .logfire, .none, example: "running 2 tools"),
        NameRule("running * tool", .logfire, .none, example: "running 1 tool"),
        NameRule(
            "running tool: *",
            .logfire,
            .nothing,
            .toolName,
            of: [.tool],
            example: "running tool: grep",
            reads: "grep"
        ),
        NameRule("Function: *", .logfire, .nothing, .toolName, of: [.tool], example: "Function: grep", reads: "grep"),
        // The convention's names.
        NameRule(
            "invoke_agent *",
            .genAI,
            .nothing,
            .agentName,
            of: [.agent],
            example: "invoke_agent planner",
            reads: "planner"
        ),
        NameRule(
            "execute_tool *",
            .genAI,
            .nothing,
            .toolName,
            of: [.tool],
            example: "execute_tool grep",
            reads: "grep"
        ),
        // OpenLLMetry, smolagents.
        NameRule(
            "*.agent",
            .openLLMetry,
            .nothing,
            .agentName,
            of: [.agent],
            isOwn: true,
            example: "planner.agent",
            reads: "planner"
        ),
        NameRule(
            "*.tool",
            .openLLMetry,
            .nothing,
            .toolName,
            of: [.tool],
            isOwn: true,
            example: "grep.tool",
            reads: "grep"
        ),
        NameRule(
            "*.run",
            .openInference,
            .nothing,
            .agentName,
            of: [.agent],
            isOwn: true,
            example: "manager.run",
            reads: "manager"
        ),
    ]
}

extension AgentSpan {
    /// A part of a handoff's name, `A → B` or `B` alone, in whole names such as `B.handoff`.
    static func handoff(_ part: Substring) -> Handoff {
        var sides: [Substring] = []
        for arrow in [" → ", " -> "] where sides.isEmpty {
            guard let place = part.firstRange(ofText: arrow) else { continue }
            sides = [part[..<place.lowerBound], part[place.upperBound...]]
        }
        return Handoff(from: sides.first.flatMap(known), to: (sides.last ?? part).unquoted.known)
    }

    private static func known(_ text: Substring) -> String? { text.unquoted.known }
}

extension Substring {
    /// Without the quotes around it that Python's `repr` writes.
    var unquoted: Substring {
        guard let quote = utf8.first, quote == 0x27 || quote == 0x22, utf8.count >= 2, utf8.last == quote else {
            return self
        }
        return Substring(utf8.dropFirst().dropLast())
    }

    /// The text; `nil` for what clients write when they do not know, and for a template that was not filled in.
    var known: String? {
        isEmpty || self == "unknown" || self == "None" || utf8.first == UInt8(ascii: "{") ? nil : String(self)
    }

    /// Where `text` first occurs.
    func firstRange(ofText text: String) -> Range<Index>? {
        let wanted = Array(text.utf8)
        var at = utf8.startIndex
        while let found = utf8[at...].firstIndex(of: wanted[0]) {
            let rest = utf8[found...]
            if rest.starts(with: wanted), let end = utf8.index(found, offsetBy: wanted.count, limitedBy: utf8.endIndex)
            {
                return found..<end
            }
            at = utf8.index(after: found)
        }
        return nil
    }
}
