// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// Something that a model can ask for. Every such tool reads and changes nothing; ``DoTrace`` writes.
struct MCPTool: Sendable {
    typealias Ask = @Sendable (API, APICall) async throws(APIError) -> MCPText

    let name: String
    /// For people.
    let title: String
    /// For the model: what comes back, and when to ask for it.
    let description: String
    let parameters: [MCPParameter]
    /// Its arguments are the parameters of the call.
    let ask: Ask

    init(
        _ name: String,
        _ title: String,
        _ description: String,
        _ parameters: MCPParameter...,
        ask: @escaping Ask
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.parameters = parameters
        self.ask = ask
    }

    /// What the model reads.
    struct Answer {
        var text: String
        var isError = false
        /// For the server's own log.
        var logMessage: String?
    }

    /// The tool of that name; who calls another is told `others`, too.
    static func named(_ name: String?, besides others: [String]) throws(MCPError) -> MCPTool {
        guard let name else { throw .invalidParams("params.name is missing: name a tool of tools/list.") }
        guard let tool = all.first(where: { $0.name == name }) else {
            throw .invalidParams(APICall.unknown(name, "tool", known: all.map(\.name) + others).detail)
        }
        return tool
    }

    /// Asks with the arguments of `message`. What is wrong with them is an answer, too, since the model can mend it (MCP
    /// 2025-11-25 "Error Handling").
    func call(with message: MCPMessage, _ api: API, _ call: APICall) async -> Answer {
        do throws(APIError) {
            try check(message)
            var call = call
            call.request.queryItems = message.arguments
            return Answer(text: try await ask(api, call).finish())
        } catch {
            return Answer(text: MCPText.text(of: error), isError: true, logMessage: error.logMessage)
        }
    }

    /// Refuses arguments that the tool does not take, and misses those that it needs.
    private func check(_ message: MCPMessage) throws(APIError) {
        let known = parameters.map(\.name)
        for name in message.unreadableArguments + message.arguments.map(\.name) where !known.contains(name) {
            throw APICall.unknown(name, "argument of \(self.name)", known: known)
        }
        if let name = message.unreadableArguments.first {
            throw .invalid(name, "\(name) is an object or a nested list: it takes a text or a number.")
        }
        for parameter in parameters where parameter.isRequired {
            guard message.arguments.contains(where: { $0.name == parameter.name && !$0.value.isEmpty }) else {
                throw .invalid(parameter.name, "\(parameter.name) is missing: \(parameter.description)")
            }
        }
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("name", name)
            json.member("title", title)
            json.member("description", description)
            json.object("inputSchema") { json in
                json.member("type", "object")
                json.object("properties") { json in
                    for parameter in parameters { parameter.write(to: &json) }
                }
                let required = parameters.filter(\.isRequired)
                if !required.isEmpty {
                    json.array("required") { json in
                        for parameter in required { json.string(parameter.name) }
                    }
                }
                json.member("additionalProperties", false)
            }
            json.object("annotations") { json in
                json.member("title", title)
                json.member("readOnlyHint", true)
                json.member("destructiveHint", false)
                json.member("idempotentHint", true)
                json.member("openWorldHint", false)
            }
        }
    }
}

/// One argument of a tool.
struct MCPParameter: Sendable {
    let name: String
    let description: String
    var isRequired = false
    /// Of a whole number.
    var bounds: ClosedRange<Int>?

    static func text(_ name: String, _ description: String) -> MCPParameter {
        MCPParameter(name: name, description: description)
    }

    static func needed(_ name: String, _ description: String) -> MCPParameter {
        MCPParameter(name: name, description: description, isRequired: true)
    }

    static func number(_ name: String, _ bounds: ClosedRange<Int>, _ description: String) -> MCPParameter {
        MCPParameter(name: name, description: description, bounds: bounds)
    }

    func write(to json: inout JSONWriter) {
        json.key(text: name)
        json.object { json in
            json.member("type", bounds == nil ? "string" : "integer")
            if let bounds {
                json.member("minimum", bounds.lowerBound)
                json.member("maximum", bounds.upperBound)
            }
            json.member("description", description)
        }
    }
}
