// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// Why a message is no call that can be answered (JSON-RPC 2.0 §5.1; MCP 2026-07-28 "Error Codes"). What goes wrong within a
/// tool is no error of the protocol: the model reads it as the tool's answer and mends its call.
struct MCPError: Error {
    /// Of JSON-RPC.
    var code: Code
    /// For people: names the value, the limit and the remedy.
    var message: String
    /// The HTTP status.
    var status = 200
    /// The version that was asked for and is not spoken.
    var requestedVersion: String?

    enum Code: Int {
        case parseError = -32700
        case invalidRequest = -32600
        case methodNotFound = -32601
        case invalidParams = -32602
        case internalError = -32603
        /// A header and the body differ, or a header is missing.
        case headerMismatch = -32020
        case unsupportedProtocolVersion = -32022
    }

    static func invalidRequest(_ message: String, status: Int = 400) -> MCPError {
        MCPError(code: .invalidRequest, message: message, status: status)
    }

    static func invalidParams(_ message: String, status: Int = 200) -> MCPError {
        MCPError(code: .invalidParams, message: message, status: status)
    }

    /// As an answer to the message `id`; without one when that could not be read.
    func response(to id: MCPMessage.ID?) -> APIResponse {
        .json(status: status) { json in
            json.object { json in
                json.member("jsonrpc", "2.0")
                json.key("id")
                if let id { id.write(to: &json) } else { json.null() }
                json.object("error") { json in
                    json.member("code", code.rawValue)
                    json.member("message", message)
                    guard let requestedVersion else { return }
                    json.object("data") { json in
                        json.array("supported") { json in
                            for version in MCPVersion.allCases { json.string(version.rawValue) }
                        }
                        json.member("requested", requestedVersion)
                    }
                }
            }
        }
    }
}

extension APIError {
    /// As a client of the protocol reads it, when the request did not come as far as a tool.
    var ofMCP: MCPError {
        MCPError(code: status < 500 ? .invalidRequest : .internalError, message: detail, status: status)
    }
}
