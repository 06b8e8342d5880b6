// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinMCP
import Testing

@Suite struct MessageTextTests {
    private func message(_ text: String, kept: Int, by size: Int = 7, budget: ByteBudget? = nil) -> JSONRPCMessage? {
        var message = MessageText(bytesMax: kept, budget: budget)
        let all = Array(text.utf8)
        for start in stride(from: 0, to: all.count, by: size) {
            all[start..<min(start + size, all.count)].withUnsafeBytes { message.add($0) }
        }
        #expect(message.byteCount == all.count)
        return message.scan()?.messages.first
    }

    private static let filling = String(repeating: #"\\ \"id\":9,\n"#, count: 100)

    @Test(arguments: 1...9)
    func `what stands behind the part that is kept is found`(_ size: Int) throws {
        let text =
            #"{"params": {"arguments":{"id":7,"x":"\#(Self.filling)"}, "name" : "t"},"method":"tools/call","id" : "a\"b" }"#
        let found = try #require(message(text, kept: 40, by: size))
        #expect(found.kind == .request && found.method == "tools/call" && found.id == .string("a\"b"))
        #expect(found.params?.name == "t" && found.range.count == text.utf8.count)
    }

    @Test(arguments: [
        (#"{"result":{"content":[{"text":"FILL"},{"isError":true}],"isError":false},"id":12}"#, "12 false false"),
        (#"{"id":12,"result":{"content":[[{"text":"FILL","id":3}]],"isError":true}}"#, "12 true false"),
        (#"{"error":{"data":["FILL"],"code":-5},"id":1.0}"#, "1 nil true -5"),
        (#"{"result":["FILL"],"id":4}"#, "4 false false"),
        (#"{"id":4,"result":"FILL"}"#, "4 false false"),
    ])
    func `an answer that is too long to be kept says how the call went`(_ text: String, _ expected: String) throws {
        let text = text.replacing("FILL", with: Self.filling)
        for kept in [1, 8, 14, 60] {
            let found = try #require(message(text, kept: kept))
            let isToolError = found.result.map { "\($0.isError)" } ?? "nil"
            let said = [found.id?.description, isToolError, "\(found.isError)", found.errorCode]
            #expect(said.compactMap(\.self).joined(separator: " ") == expected, "\(kept) bytes kept")
        }
    }

    @Test(arguments: [
        "{\"id\":1,\"result\":{\"x\":\"FILL", "{\"x\":\"FILL\"} {\"id\":1}", "\"FILL\"", "FILL", "{\"x\":\"FILL\"}}",
        "]]}}FILL",
        "{\"id\":1x,\"y\":\"FILL\"}",
    ])
    func `what is no message says nothing`(_ text: String) {
        #expect(message(text.replacing("FILL", with: Self.filling), kept: 10)?.kind ?? .other == .other)
    }

    @Test func `a number that the kept part cuts off is read whole`() {
        #expect(message(#"{"id":123456,"result":{}}"#, kept: 8, by: 100)?.id == .number(123_456))
    }

    @Test func `without memory messages are read while they pass`() {
        let budget = MemoryPool(byteCount: 100).share(atMost: 100)
        var held = MessageText(bytesMax: 1_000, budget: budget)
        Array(repeating: UInt8(0x20), count: 40).withUnsafeBytes { held.add($0) }
        #expect(!held.isLong && budget.used == 80)
        #expect(message(#"{"result":{"isError":true},"id":5}"#, kept: 1_000, budget: budget)?.result?.isError == true)
        Array(repeating: UInt8(0x20), count: 400).withUnsafeBytes { held.add($0) }
        #expect(held.isLong && budget.used == 0)
    }
}
