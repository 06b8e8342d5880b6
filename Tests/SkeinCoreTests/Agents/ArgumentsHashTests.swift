// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import Testing

@Suite struct ArgumentsHashTests {
    static func hash(_ arguments: AttributeValue) -> UInt64? {
        ClientSpan("x", ["gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": arguments]).read.tool?
            .argumentsHash
    }

    @Test(arguments: [
        ("{\"a\":1,\"b\":[true,null]}", "{ \"b\" : [true, null], \"a\" : 1 }"),
        ("{\"a\":1}", "{\"a\":1.0}"), ("{\"a\":100}", "{\"a\":1e2}"), ("{\"a\":0}", "{\"a\":-0.0}"),
        ("{\"a\":\"é\"}", "{\"a\":\"\\u00e9\"}"), ("{\"a\":2,\"a\":1}", "{\"a\":1}"),
    ])
    func `what means the same hashes alike`(one: String, other: String) {
        #expect(Self.hash(.string(one)) == Self.hash(.string(other)))
    }

    @Test(arguments: [
        ("{\"a\":1}", "{\"a\":\"1\"}"), ("{\"a\":1}", "{\"a\":2}"), ("{\"a\":1}", "{\"b\":1}"), ("{}", "{\"a\":null}"),
        ("[1,2]", "[2,1]"), ("{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}"), ("{}", "[]"), ("[[1],2]", "[[1,2]]"),
        ("{\"a\":1.5}", "{\"a\":1.25}"), ("{\"a\":{\"b\":1}}", "{\"a\":1,\"b\":1}"), ("plain", "plainer"),
    ])
    func `what means something else does not`(one: String, other: String) {
        #expect(Self.hash(.string(one)) != Self.hash(.string(other)))
    }

    @Test func `JSON text and a structured value hash alike`() {
        let structured: AttributeValue = .map([Attribute("b", [1.0, "x"]), Attribute("a", .bool(true))])
        #expect(Self.hash(structured) == Self.hash("{\"a\":true,\"b\":[1,\"x\"]}"))
    }

    @Test func `text that is nearly JSON, or nests without end, is text`() {
        #expect(Self.hash("{\"a\":") != nil)
        let deep = String(repeating: "[", count: 100_000)
        #expect(Self.hash(.string(deep)) != Self.hash(.string(deep + "[")))
        let closed = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(Self.hash(.string(closed)) != nil)
    }

    @Test func `a result's size is that of its text, or of its JSON`() {
        func size(_ result: AttributeValue) -> UInt64? {
            ClientSpan("x", ["gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": result]).read.tool?
                .resultBytes
        }
        #expect(size("é") == 2 && size("{\"a\":1}") == 7)
        #expect(size(.map([Attribute("a", 1)])) == 7 && size([1, 22]) == 6 && size(.map([])) == 2)
    }
}
