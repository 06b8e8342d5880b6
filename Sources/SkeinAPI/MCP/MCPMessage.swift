// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// One message from a client (JSON-RPC 2.0): a request, or without an id a notification.
struct MCPMessage {
    /// `nil` of a notification.
    var id: ID?
    var method = ""
    /// Of `initialize`: the version that the client would speak.
    var protocolVersion: String?
    /// Of `tools/call`: the tool.
    var name: String?
    /// Of `tools/call`: names and values as they came, a list as the same name again.
    var arguments: [APIRequest.QueryItem] = []
    /// Names of arguments that are neither text, number, truth value nor a list of those.
    var unreadableArguments: [String] = []
    /// The version in `_meta`, which requests carry from 2026-07-28 on.
    var metaVersion: String?

    /// What tells the answer to one request from that to another; goes back as it came.
    enum ID: Hashable {
        case string(String)
        /// Within ±2⁵³, where every program reads the same number.
        case number(Int64)

        func write(to json: inout JSONWriter) {
            switch self {
            case .string(let text): json.string(text)
            case .number(let number): json.int(number)
            }
        }
    }

    /// Most bytes of a message: no argument of a tool comes near.
    static let byteCountMax = 256 << 10
    private static let metaVersionKey = "io.modelcontextprotocol/protocolVersion"

    private init() {}

    /// The message that `body` is. `id` is set as soon as it was read, so that an error can answer it.
    init(_ body: [UInt8], id: inout ID?) throws(MCPError) {
        guard body.count <= Self.byteCountMax else {
            throw .invalidRequest(
                "The message has \(body.count) bytes, at most \(Self.byteCountMax) are read: send shorter arguments.",
                status: 413
            )
        }
        var message = MCPMessage()
        var failure: MCPError?
        body.withUnsafeBytes { bytes in
            do throws(WireError) {
                failure = try message.read(bytes)
            } catch {
                failure = MCPError(code: .parseError, message: "The body is no JSON: \(error).", status: 400)
            }
        }
        id = message.id
        if let failure { throw failure }
        self = message
    }

    /// Reads what is of use; what is valid JSON and no message is the failure that is returned.
    private mutating func read(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> MCPError? {
        var json = JSONReader(bytes)
        switch try json.peek() {
        case .object: break
        case .array:
            return .invalidRequest("The body is a list of messages, which no version spoken here has: send one by one.")
        default: return .invalidRequest("The body is no message: send a JSON-RPC 2.0 object.")
        }
        var failure: MCPError?
        var (isVersion2, isResponse) = (false, false)
        try json.openObject()
        while let key = try json.nextKey() {
            switch key {
            case "jsonrpc": isVersion2 = try Self.text(&json) == "2.0"
            case "id": if let problem = try readID(&json) { failure = problem }
            case "method": method = try Self.text(&json) ?? ""
            case "params": if let problem = try readParams(&json) { failure = failure ?? problem }
            case "result", "error":
                isResponse = true
                try json.skipValue()
            default: try json.skipValue()
            }
        }
        try json.finish()
        if let failure { return failure }
        guard isVersion2 else { return .invalidRequest("jsonrpc is not \"2.0\": only JSON-RPC 2.0 is spoken here.") }
        guard !method.isEmpty || isResponse else { return .invalidRequest("method is missing: it is a text.") }
        return nil
    }

    private mutating func readID(_ json: inout JSONReader) throws(WireError) -> MCPError? {
        switch try json.peek() {
        case .string:
            id = .string(UTF8Text.repaired(try json.readString()))
            return nil
        case .number:
            let number = try json.readDouble()
            if let whole = Int64(exactly: number), whole.magnitude <= 1 << 53 {
                id = .number(whole)
                return nil
            }
        default: try json.skipValue()
        }
        return .invalidRequest("id is neither a text nor a whole number within 2^53: send one of these.")
    }

    private mutating func readParams(_ json: inout JSONReader) throws(WireError) -> MCPError? {
        guard try json.peek() == .object else {
            try json.skipValue()
            return .invalidParams("params is no object: name the parameters.")
        }
        var failure: MCPError?
        try json.openObject()
        while let key = try json.nextKey() {
            switch key {
            case "protocolVersion": protocolVersion = try Self.text(&json)
            case "name": name = try Self.text(&json)
            case "arguments":
                if try json.peek() == .object {
                    try readArguments(&json)
                } else {
                    let isAbsent = try json.peek() == .null
                    try json.skipValue()
                    if !isAbsent { failure = .invalidParams("params.arguments is no object: name the arguments.") }
                }
            case "_meta": try readMeta(&json)
            default: try json.skipValue()
            }
        }
        return failure
    }

    private mutating func readMeta(_ json: inout JSONReader) throws(WireError) {
        guard try json.peek() == .object else { return try json.skipValue() }
        try json.openObject()
        while let key = try json.nextKey() {
            if key.text == Self.metaVersionKey { metaVersion = try Self.text(&json) } else { try json.skipValue() }
        }
    }

    private mutating func readArguments(_ json: inout JSONReader) throws(WireError) {
        try json.openObject()
        while let key = try json.nextKey() {
            let name = key.text
            if try json.peek() == .array {
                try json.openArray()
                while try json.nextElement() { try readArgument(name, &json) }
            } else {
                try readArgument(name, &json)
            }
        }
    }

    private mutating func readArgument(_ name: String, _ json: inout JSONReader) throws(WireError) {
        switch try json.peek() {
        case .string: arguments.append(.init(name, UTF8Text.repaired(try json.readString())))
        case .bool: arguments.append(.init(name, try json.readBool() ? "true" : "false"))
        case .number:
            let number = try json.readDouble()
            arguments.append(.init(name, Int64(exactly: number).map { "\($0)" } ?? "\(number)"))
        case .null: try json.skipValue()
        case .object, .array:
            unreadableArguments.append(name)
            try json.skipValue()
        }
    }

    /// The next value's text; `nil` when it is none.
    private static func text(_ json: inout JSONReader) throws(WireError) -> String? {
        guard try json.peek() == .string else {
            try json.skipValue()
            return nil
        }
        return UTF8Text.repaired(try json.readString())
    }
}
