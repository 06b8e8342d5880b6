// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SkeinTracing

@Suite struct StrategyTests {
    @Test func `strategies are asked for where the address has no scheme`() throws {
        let server = try ScriptedServer([.init(body: [1])])
        defer { server.close() }
        let sender = try HTTPSender(.strategies(at: "127.0.0.1:\(server.port)/sampling"))
        defer { sender.shutdown() }
        #expect(try sender.strategy(of: "a shop", by: .now + .seconds(60)).get() == [1])
        #expect(server.requests.map(\.path) == ["/sampling?service=a%20shop"])
    }
}
