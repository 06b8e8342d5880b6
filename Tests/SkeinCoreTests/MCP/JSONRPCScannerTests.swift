// SPDX-License-Identifier: Apache-2.0
import SkeinMCP
import Testing

@Suite struct JSONRPCScannerTests {
    private func scan(_ text: String) -> JSONRPCScanner.Scan { scan(Array(text.utf8)) }

    private func scan(_ bytes: [UInt8]) -> JSONRPCScanner.Scan { bytes.withUnsafeBytes { JSONRPCScanner.scan($0) } }

    private func message(_ text: String) throws -> JSONRPCMessage {
        let found = scan(text)
        #expect(found.isWhole)
        return try #require(found.messages.first)
    }

    @Test func `a call says its tool, its id and its context`() throws {
        let text = """
            {"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"slow","arguments":{"name":"x","_meta":{}},\
            "_meta":{"progressToken":"p","traceparent":"00-a","claudecode/toolUseId":"toolu_1",\
            "io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}
            """
        let call = try message(text)
        #expect(call.kind == .request)
        #expect(call.method == "tools/call")
        #expect(call.id == .number(3))
        #expect(call.params?.name == "slow")
        let meta = try #require(call.params?.meta)
        #expect(meta.progressToken == .string("p"))
        #expect(meta.toolUseID == "toolu_1")
        #expect(meta.protocolVersion == "2026-07-28")
        let place = try #require(meta.traceparent)
        #expect(place.value == "00-a")
        #expect(String(decoding: Array(text.utf8)[place.range], as: UTF8.self) == "\"00-a\"")
    }

    @Test(arguments: [
        ("1", JSONRPCMessage.ID.number(1)), ("1.0", .number(1)), ("1e2", .number(100)), ("-7", .number(-7)),
        ("\"1\"", .string("1")), ("\"\\u0031\"", .string("1")), ("1.5", .otherNumber("1.5")),
        ("123456789012345678901", .otherNumber("123456789012345678901")), ("1e999", .otherNumber("1e999")),
    ])
    func `an id keeps its type`(_ written: String, _ id: JSONRPCMessage.ID) throws {
        #expect(try message("{\"id\":\(written),\"method\":\"x\"}").id == id)
    }

    @Test(arguments: ["null", "true", "{}", "[1]", "\"\(String(repeating: "x", count: 2_000))\""])
    func `what is no id, or too long for one, makes no request`(_ written: String) throws {
        #expect(try message("{\"id\":\(written),\"method\":\"tools/call\"}").kind == .notification)
    }

    @Test func `escapes in keys are read`() throws {
        let call = try message(
            #"{"\u006dethod":"tools\/call","\u0069d":1,"par\u0061ms":{"_m\u0065ta":{"trac\u0065parent":"t"}}}"#
        )
        #expect(call.method == "tools/call")
        #expect(call.id == .number(1))
        #expect(call.params?.meta?.traceparent?.value == "t")
    }

    @Test func `of keys that come twice the last counts`() throws {
        let call = try message(
            #"{"method":"a","method":"tools/call","id":1,"id":2,"params":{"name":"a"},"params":{"_meta":{}}}"#
        )
        #expect(call.method == "tools/call")
        #expect(call.id == .number(2))
        #expect(call.params?.name == nil)
        #expect(call.params?.meta != nil)
    }

    @Test func `an array is many messages, each with its place`() {
        let text = #" [ {"id":1,"method":"a"} , 5, {"id":1,"result":{}} ] "#
        let found = scan(text)
        #expect(found.isWhole && found.isBatch)
        #expect(found.messages.map(\.kind) == [.request, .other, .response])
        let bytes = Array(text.utf8)
        #expect(String(decoding: bytes[found.messages[0].range], as: UTF8.self) == #"{"id":1,"method":"a"}"#)
    }

    @Test func `answers say how they went`() throws {
        #expect(try message(#"{"id":1,"result":{"isError":true}}"#).result?.isError == true)
        #expect(try message(#"{"id":1,"result":{"content":[{"isError":true}]}}"#).result?.isError == false)
        let failure = try message(#"{"id":1,"error":{"code":-32602,"message":"no"}}"#)
        #expect(failure.kind == .response && failure.errorCode == "-32602")
        let task = try message(#"{"id":1,"result":{"task":{"taskId":"t1","status":"working"}}}"#)
        #expect(task.result?.taskID == "t1" && task.result?.status == "working")
        let server = try message(
            #"{"id":0,"result":{"protocolVersion":"2025-11-25","serverInfo":{"name":"fs","version":"1"}}}"#
        )
        #expect(server.result?.serverName == "fs" && server.result?.protocolVersion == "2025-11-25")
    }

    @Test(arguments: [
        "", "x", "{", "{\"a\":1}}", "{\"method\":\"tools/call\"", "[", "[{}", "{\"id\":01}", "{'id':1}", "{\"id\":1,}",
        "nul",
    ])
    func `what is no JSON is not whole`(_ text: String) { #expect(!scan(text).isWhole) }

    @Test func `nesting without end is refused, not followed`() {
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(!scan("{\"params\":\(deep)").isWhole)
        #expect(!scan(deep).isWhole)
    }

    @Test func `bytes that are no UTF-8 do not matter`() throws {
        let start = Array(#"{"id":1,"method":"tools/call","params":{"name":""#.utf8)
        let found = scan(start + [0xff, 0xc0] + Array("\"}}".utf8))
        #expect(found.isWhole)
        #expect(found.messages.first?.params?.name == "\u{fffd}\u{fffd}")
    }

    @Test func `the beginning of a text says what stands in it`() throws {
        let found = scan(#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"aaaa"#)
        #expect(!found.isWhole)
        let answer = try #require(found.messages.first)
        #expect(answer.id == .number(7) && answer.kind == .response)
    }

    @Test func `long names are cut at a character`() throws {
        let name = String(repeating: "ä", count: 200)
        let call = try message("{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"\(name)\"}}")
        #expect(call.params?.name == String(repeating: "ä", count: 128))
    }

    @Test(arguments: [
        ("slow", "slow"), ("=?base64?d2VhdGhlcg==?=", "weather"),
        ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="), ("=?base64?8J+Mvw==?=", "\u{1F33F}"),
        ("=?base64?!?=", nil), ("=?base64?/w==?=", nil), ("=?base64?=", "=?base64?="),
    ])
    func `a name in a header may be Base64`(_ value: String, _ name: String?) {
        #expect(HeaderText.decode(value) == name)
    }
}
