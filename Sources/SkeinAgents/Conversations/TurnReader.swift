// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire

/// Makes turns of messages in the shapes that the conventions and the models' own interfaces have.
struct TurnReader {
    private(set) var turns: [Conversation.Turn] = []
    /// Deeper than any message nests its parts.
    private static let depthMax = 6

    /// Reads a message, a list of them, JSON text of either, or mere words; `role` is theirs who say no other.
    mutating func read(_ value: AttributeValue?, role: String, onlyMessages: Bool = false) {
        guard let value else { return }
        if onlyMessages, case .map(let pairs) = value, !Self.isMessage(pairs) { return }
        read(Self.structure(value), role, 0)
    }

    /// Reads a list of calls of tools.
    mutating func read(calls value: AttributeValue?, role: String) {
        guard let value, case .array(let calls) = Self.structure(value) else { return }
        for case .map(let call) in calls { add(call: call, role) }
    }

    mutating func add(
        _ role: String,
        _ kind: Conversation.Kind,
        _ text: String,
        _ tool: String? = nil,
        _ id: String? = nil
    ) {
        guard turns.count < Conversation.turnsMax else { return }
        turns.append(Conversation.Turn(role: role, kind: kind, text: text, toolName: tool, callID: id))
    }

    // MARK: Messages

    /// Text within a message is words, be they JSON or not.
    private mutating func read(_ value: AttributeValue, _ role: String, _ depth: Int) {
        guard depth < Self.depthMax else { return }
        switch value {
        case .array(let elements):
            for element in elements where turns.count < Conversation.turnsMax { read(element, role, depth + 1) }
        case .map(let pairs): read(message: pairs, role, depth)
        case .null: break
        case let words: addWords(Self.words(words), role)
        }
    }

    private static func isMessage(_ pairs: [Attribute]) -> Bool {
        ["role", "content", "parts", "tool_calls", "message"].contains { pairs[$0] != nil }
    }

    private mutating func read(message pairs: [Attribute], _ role: String, _ depth: Int) {
        let role = Self.role(pairs) ?? role
        if let messages = pairs["messages"] { return read(Self.structure(messages), role, depth + 1) }
        if let message = pairs["message"], Self.isStructure(message) {
            return read(Self.structure(message), role, depth + 1)
        }
        if let parts = pairs["parts"] { return read(Self.structure(parts), role, depth + 1) }
        if let type = pairs["type"]?.scalarText, read(part: pairs, type, role, depth) { return }
        guard Self.isMessage(pairs) else { return add(role, .text, Self.words(.map(pairs))) }
        if role == "tool" || role == "function" {
            let id = pairs["tool_call_id"] ?? pairs["id"]
            return add(
                role,
                .toolResult,
                Self.words(pairs["content"] ?? .null),
                pairs["name"]?.scalarText,
                id?.scalarText
            )
        }
        if let content = pairs["contents"] ?? pairs["content"] { read(content, role, depth + 1) }
        for case .map(let call) in Self.elements(pairs["tool_calls"]) { add(call: call, role) }
    }

    private static func role(_ pairs: [Attribute]) -> String? {
        if let role = pairs["role"]?.scalarText, !role.isEmpty { return role }
        switch pairs["event.name"]?.scalarText {
        case "gen_ai.system.message": return "system"
        case "gen_ai.user.message": return "user"
        case "gen_ai.assistant.message", "gen_ai.choice": return "assistant"
        case "gen_ai.tool.message": return "tool"
        default: return nil
        }
    }

    /// Reads a part of a message whose `type` is known; `false` for any other type.
    private mutating func read(part: [Attribute], _ type: String, _ role: String, _ depth: Int) -> Bool {
        let name = part["name"]?.scalarText
        switch type {
        case "text", "input_text", "output_text", "refusal":
            guard let words = part["content"] ?? part["text"] ?? part["refusal"] else { return false }
            addWords(Self.words(words), role)
        case "reasoning", "thinking", "redacted_thinking":
            let words = part["content"] ?? part["thinking"] ?? part["text"] ?? part["summary"]
            if let words { add(role, .reasoning, Self.words(words)) }
        case "tool_call", "tool_use", "function_call", "tool-call":
            add(call: part, role)
        case "tool_call_response", "tool_result", "function_call_output", "tool-result":
            let id = part["id"] ?? part["tool_use_id"] ?? part["call_id"] ?? part["toolCallId"]
            let result = part["response"] ?? part["result"] ?? part["content"] ?? part["output"] ?? .null
            add("tool", .toolResult, Self.words(result), name ?? part["toolName"]?.scalarText, id?.scalarText)
        case "message":
            guard let content = part["content"] else { return false }
            read(content, role, depth + 1)
        default: return false
        }
        return true
    }

    private mutating func add(call: [Attribute], _ role: String) {
        var function = call
        if case .map(let pairs)? = call["function"].map(Self.structure) { function = pairs }
        let arguments = function["arguments"] ?? function["args"] ?? function["input"] ?? .null
        let name = function["name"] ?? call["toolName"]
        let id = call["id"] ?? call["call_id"] ?? call["toolCallId"]
        // A Responses item has an id of its own beside the call's.
        let callID = call["call_id"] ?? id
        add(role, .toolCall, Self.words(arguments), name?.scalarText, callID?.scalarText)
    }

    private mutating func addWords(_ words: String, _ role: String) {
        guard !words.isEmpty else { return }
        add(role, role == "system" || role == "developer" ? .system : .text, words)
    }

    // MARK: Values

    private static func isStructure(_ value: AttributeValue) -> Bool {
        switch structure(value) {
        case .map, .array: true
        default: false
        }
    }

    private static func elements(_ value: AttributeValue?) -> [AttributeValue] {
        guard let value, case .array(let elements) = structure(value) else { return [] }
        return elements
    }

    /// The value, or what it is JSON text of.
    private static func structure(_ value: AttributeValue) -> AttributeValue {
        guard case .string(let text) = value else { return value }
        return JSONValue.structure(text) ?? value
    }

    /// A text as it is, anything else as JSON; nothing for `null`.
    static func words(_ value: AttributeValue) -> String {
        switch value {
        case .string(let text): return text
        case .null: return ""
        default:
            var json = JSONWriter()
            json.plain(value)
            return json.text
        }
    }
}
