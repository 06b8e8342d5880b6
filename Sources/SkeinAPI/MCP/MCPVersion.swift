// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// A revision of the Model Context Protocol that is spoken here.
enum MCPVersion: String, CaseIterable {
    /// Without a handshake: every request says its version, in a header and in `_meta`.
    case v2026_07_28 = "2026-07-28"
    /// With the handshake `initialize`. Nothing is kept of it, so there are no sessions.
    case v2025_11_25 = "2025-11-25"
    /// For a server of tools alone the same as its successor.
    case v2025_06_18 = "2025-06-18"

    /// Whether every request stands alone.
    var isStateless: Bool { self == .v2026_07_28 }

    /// The version of a handshake: the one that is asked for when it has handshakes and is spoken, else the latest of those.
    static func negotiated(_ requested: String?) -> MCPVersion {
        guard let version = requested.flatMap(MCPVersion.init), !version.isStateless else { return .v2025_11_25 }
        return version
    }

    /// The version of a message, whose headers must say what it says itself (MCP 2026-07-28 "Server Validation"). Without
    /// a header it is one of those before.
    init(of message: MCPMessage, _ request: APIRequest) throws(MCPError) {
        let header = request.header("MCP-Protocol-Version")
        for text in [header, message.metaVersion].compactMap({ $0 }) where MCPVersion(rawValue: text) == nil {
            throw .unsupported(text)
        }
        let version = header.flatMap(MCPVersion.init)
        guard version?.isStateless == true || message.metaVersion != nil else {
            self = version ?? .v2025_11_25
            return
        }
        guard let header, let version else {
            throw .mismatch("The header MCP-Protocol-Version is missing: send it with every request.")
        }
        guard let meta = message.metaVersion else {
            if message.id == nil {
                self = version
                return
            }
            throw .invalidParams(
                "params._meta lacks io.modelcontextprotocol/protocolVersion: send it with every request.",
                status: 400
            )
        }
        guard meta == header else {
            throw .mismatch("The header MCP-Protocol-Version is \(header), _meta says \(meta): send the same in both.")
        }
        try Self.check(message, request)
        self = version
    }

    /// Checks the headers that say what a request asks for.
    private static func check(_ message: MCPMessage, _ request: APIRequest) throws(MCPError) {
        guard message.id != nil else { return }
        guard request.header("Mcp-Method") == message.method else {
            throw .mismatch("The header Mcp-Method is not \(APICall.shown(message.method)), the method: send the same.")
        }
        guard message.method == "tools/call", let name = message.name else { return }
        guard request.header("Mcp-Name").map(decoded) == name else {
            throw .mismatch("The header Mcp-Name is not \(APICall.shown(name)), the tool: send the same.")
        }
    }

    /// A header's value, which is `=?base64?…?=` where it is no plain ASCII.
    private static func decoded(_ value: String) -> String {
        guard value.hasPrefix("=?base64?"), value.hasSuffix("?="), value.utf8.count >= 11 else { return value }
        var bytes = ByteWriter(capacity: value.utf8.count)
        let isWhole = Array(value.utf8.dropFirst(9).dropLast(2)).withUnsafeBytes { Base64.decode($0, to: &bytes) }
        return isWhole ? String(decoding: bytes.array(), as: UTF8.self) : value
    }
}

extension MCPError {
    fileprivate static func unsupported(_ version: String) -> MCPError {
        let known = MCPVersion.allCases.map(\.rawValue).joined(separator: ", ")
        var error = MCPError(
            code: .unsupportedProtocolVersion,
            message: "Protocol version \(APICall.shown(version)) is not spoken here: take one of \(known).",
            status: 400
        )
        error.requestedVersion = String(version.prefix(100))
        return error
    }

    fileprivate static func mismatch(_ message: String) -> MCPError {
        MCPError(code: .headerMismatch, message: message, status: 400)
    }
}
