// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import Testing

/// A client of the Model Context Protocol, of one of its versions.
struct MCPClient {
    let api: APIUnderTest
    var version = "2025-11-25"

    init(_ spans: [SkeinModel.Span] = [], version: String = "2025-11-25") async throws {
        api = try await APIUnderTest(spans)
        self.version = version
    }

    /// Sends a body as it is.
    func post(_ body: String, headers: [(name: String, value: String)] = []) async throws -> APIResponse {
        try await api.ask("/mcp", method: "POST", headers: headers, body: body)
    }

    /// Sends a request as the version does, and answers the whole message that comes back.
    func request(
        _ method: String,
        _ params: String = "",
        headers: [(name: String, value: String)] = [],
        status: Int = 200
    ) async throws -> JSONValue {
        var headers = headers + [("MCP-Protocol-Version", version)]
        var params = params
        if version == "2026-07-28" {
            headers.append(("Mcp-Method", method))
            let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
            params = params.isEmpty ? meta : "\(params),\(meta)"
        }
        let response = try await post(
            #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{\#(params)}}"#,
            headers: headers
        )
        let text = String(decoding: response.bytes, as: UTF8.self)
        #expect(response.status == status, "\(text)")
        return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// The text of a tool's answer, which is an error or not as said.
    func call(_ tool: String, _ arguments: String = "", isError: Bool = false) async throws -> String {
        let answer = try await request(
            "tools/call",
            #""name":"\#(tool)","arguments":{\#(arguments)}"#,
            headers: version == "2026-07-28" ? [("Mcp-Name", tool)] : []
        )
        #expect(answer["result"]["isError"] == .bool(isError), "\(answer)")
        let text = try #require(answer["result"]["content"][0]["text"].string)
        #expect(text.utf8.count <= 7_500)
        return text
    }
}
