// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import Testing

/// Handshake, versions, headers and errors of the Model Context Protocol.
struct MCPProtocolTests {
    @Test(arguments: [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")])
    func `a handshake settles on a version that both may speak`(asked: String, settled: String) async throws {
        let client = try await MCPClient()
        let response = try await client.post(
            """
            {"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"\(asked)","capabilities":{},\
            "clientInfo":{"name":"test","version":"1"}}}
            """
        )
        let answer = try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))
        #expect(response.headers.first { $0.name == "Content-Type" }?.value == "application/json")
        #expect(answer["id"] == "a")
        #expect(answer["result"]["protocolVersion"].string == settled)
        #expect(answer["result"]["capabilities"] == ["tools": [:]])
        #expect(answer["result"]["serverInfo"]["name"] == "skein")
        #expect(answer["result"]["instructions"].string?.contains("search_traces") == true)

        let accepted = try await client.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        #expect(accepted.status == 202)
        #expect(accepted.byteCount == 0)
        #expect(try await client.post(#"{"jsonrpc":"2.0","id":7,"result":{}}"#).status == 202)
        #expect(try await client.request("ping")["result"] == [:])
    }

    @Test func `without a handshake a server says what it speaks`() async throws {
        let result = try await MCPClient(version: "2026-07-28").request("server/discover")["result"]
        #expect(result["resultType"] == "complete")
        #expect(result["supportedVersions"] == ["2026-07-28", "2025-11-25", "2025-06-18"])
        #expect(result["capabilities"] == ["tools": [:]])
        #expect(result["cacheScope"] == "public")
        #expect(result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"] == "0.1.0")
    }

    @Test(arguments: ["2025-11-25", "2026-07-28"])
    func `every tool says what it takes and that it only reads`(version: String) async throws {
        let tools = try await MCPClient(version: version).request("tools/list")["result"]["tools"].array
        #expect(tools.count == 14)
        #expect(Set(tools.map { $0["name"].string }).count == 14)
        for tool in tools {
            #expect(tool["annotations"]["readOnlyHint"] == true)
            #expect(tool["title"].string?.isEmpty == false)
            #expect(tool["inputSchema"]["type"] == "object")
            let properties = tool["inputSchema"]["properties"].keys
            for name in tool["inputSchema"]["required"].array { #expect(properties.contains(name.string ?? "")) }
        }
    }

    @Test(
        arguments: [
            ("{", 400, -32700, "no JSON"),
            ("[]", 400, -32600, "send one by one"),
            ("7", 400, -32600, "JSON-RPC 2.0 object"),
            (#"{"id":1,"method":"ping"}"#, 400, -32600, "jsonrpc is not"),
            (#"{"jsonrpc":"2.0","id":1}"#, 400, -32600, "method is missing"),
            (#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, 400, -32600, "whole number"),
            (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600, "id is neither"),
            (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, 200, -32602, "params is no object"),
            (#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#, 200, -32601, "tools/list"),
            (#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, 200, -32602, "params.name is missing"),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_tracs"}}"#, 200, -32602,
                "did you mean get_trace?"
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_trace","arguments":[]}}"#, 200,
                -32602, "params.arguments is no object"
            ),
            (String(repeating: " ", count: 300_000), 413, -32600, "at most 262144"),
        ]
    )
    func `a message that is none says why`(body: String, status: Int, code: Int64, words: String) async throws {
        let response = try await MCPClient().post(body)
        #expect(response.status == status)
        let answer = try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))
        #expect(answer["error"]["code"].int == code)
        #expect(answer["error"]["message"].string?.contains(words) == true, "\(answer)")
    }

    @Test(
        arguments: [
            ("2024-01-01", "2024-01-01", "ping", -32022), ("2026-07-28", "2025-11-25", "tools/list", -32020),
            (nil, "2026-07-28", "tools/list", -32020), ("2026-07-28", nil, "tools/list", -32602),
            ("2026-07-28", "2026-07-28", "tools/call", -32020),
        ] as [(String?, String?, String, Int64)]
    )
    func `a header and a body that differ are refused`(
        header: String?,
        meta: String?,
        method: String,
        code: Int64
    ) async throws {
        let metaText = meta.map { #""_meta":{"io.modelcontextprotocol/protocolVersion":"\#($0)"}"# } ?? ""
        let response = try await MCPClient().post(
            #"{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{\#(metaText)}}"#,
            headers: [("Mcp-Method", method)] + (header.map { [("mcp-protocol-version", $0)] } ?? [])
        )
        #expect(response.status == 400)
        let answer = try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))
        #expect(answer["id"] == 9)
        #expect(answer["error"]["code"].int == code, "\(answer)")
    }

    @Test func `a message that ends too soon or has a byte wrong gets an answer`() async throws {
        let message = Array(
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_span","arguments":{"a":[1,true]}}}"#
                .utf8
        )
        let client = try await MCPClient()
        for place in message.indices {
            let cut = try await client.post(String(decoding: message[..<place], as: UTF8.self))
            #expect(cut.status == 400)
            for byte in [0x00, 0x22, 0x7b, 0x5d] as [UInt8] {
                var changed = message
                changed[place] = byte
                let answer = try await client.post(String(decoding: changed, as: UTF8.self))
                #expect([200, 202, 400].contains(answer.status))
            }
        }
    }

    @Test func `a version that is not spoken leads to those that are`() async throws {
        let response = try await MCPClient().post(
            #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
            headers: [("MCP-Protocol-Version", "1900-01-01")]
        )
        let answer = try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))
        #expect(answer["error"]["data"]["supported"][0] == "2026-07-28")
        #expect(answer["error"]["data"]["requested"] == "1900-01-01")
    }

    @Test func `a name in a header may be encoded`() async throws {
        let client = try await MCPClient(Shop.order, version: "2026-07-28")
        let params = #""name":"list_services","arguments":{}"#
        let encoded = [(name: "Mcp-Name", value: "=?base64?bGlzdF9zZXJ2aWNlcw==?=")]
        #expect(try await client.request("tools/call", params, headers: encoded)["result"]["isError"] == false)
        let other = [(name: "Mcp-Name", value: "get_trace")]
        #expect(try await client.request("tools/call", params, headers: other, status: 400)["error"]["code"] == -32020)
    }

    @Test func `a method of another time is not found`() async throws {
        let answer = try await MCPClient(version: "2026-07-28").request("initialize", status: 404)
        #expect(answer["error"]["code"] == -32601)
    }

    @Test(
        arguments: [
            ("http://localhost:6274", 200), ("http://127.0.0.1", 200), ("https://127.1.2.3:8443", 200),
            ("http://[::1]:3000", 200), ("http://evil.example", 403), ("http://localhost.evil.example", 403),
            ("http://127.0.0.1.evil.example", 403), ("http://[::1].evil.example", 403), ("null", 403),
        ]
    )
    func `pages of strangers are not answered`(origin: String, status: Int) async throws {
        let response = try await MCPClient().post(
            #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
            headers: [("Origin", origin)]
        )
        #expect(response.status == status)
    }

    @Test(arguments: ["GET", "DELETE", "PUT"])
    func `there are no streams and no sessions`(method: String) async throws {
        let response = try await MCPClient().api.ask("/mcp", method: method)
        #expect(response.status == 405)
        #expect(response.headers.first { $0.name == "Allow" }?.value == "POST, OPTIONS")
    }
}
