// SPDX-License-Identifier: Apache-2.0
import SkeinMCP
import Testing

@Suite struct PendingCallsTests {
    private typealias Calls = PendingCalls<String>
    private static let pipe = MessageWay(.connection)

    private func message(_ text: String) -> JSONRPCMessage {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { JSONRPCScanner.scan($0) }.messages.first ?? JSONRPCMessage(at: 0)
    }

    private func call(_ id: String, _ params: String = #""name":"t""#) -> JSONRPCMessage {
        message(#"{"id":\#(id),"method":"tools/call","params":{\#(params)}}"#)
    }

    private func said(_ events: [Calls.Event]) -> [String] {
        events.map { event in
            switch event {
            case .ended(let call, let outcome): "\(call) \(outcome.errorType ?? "\(outcome)")"
            case .becameTask(let call, let id, let status): "\(call) task \(id) \(status ?? "-")"
            case .progress(let call, let progress, let total): "\(call) progress \(progress ?? -1)/\(total ?? -1)"
            case .serverRequest(let call, let method, let id, let candidates):
                "\(call) asks \(method) \(id)" + (candidates > 1 ? ", one of \(candidates)" : "")
            case .server(let name, let version): "server \(name ?? "-") \(version ?? "-")"
            }
        }
    }

    @Test func `answers find their calls in any order, and 1 is not "1"`() {
        var calls = Calls()
        for id in ["1", "\"1\"", "2"] { _ = calls.register("call \(id)", of: call(id), on: Self.pipe) }
        var events: [Calls.Event] = []
        for id in ["2", "\"1\"", "1.0"] {
            events += calls.receive(fromServer: message(#"{"id":\#(id),"result":{}}"#), on: Self.pipe)
        }
        #expect(said(events) == ["call 2 success", "call \"1\" success", "call 1 success"])
        #expect(calls.count == 0)
    }

    @Test(arguments: [
        (#""result":{"isError":true}"#, "c tool_error"), (#""error":{"code":-32602}"#, "c -32602"),
        (#""error":{}"#, "c error"), (#""result":{"resultType":"input_required"}"#, "c inputRequired"),
    ])
    func `an answer says how the call went`(_ answer: String, _ expected: String) {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        #expect(said(calls.receive(fromServer: message("{\"id\":1,\(answer)}"), on: Self.pipe)) == [expected])
    }

    @Test func `requests of the server and their answers are not answers to calls`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        let request = message(#"{"id":1,"method":"sampling/createMessage","params":{}}"#)
        #expect(said(calls.receive(fromServer: request, on: Self.pipe)) == ["c asks sampling/createMessage 1"])
        #expect(calls.receive(fromClient: message(#"{"id":1,"result":{}}"#), on: Self.pipe).isEmpty)
        #expect(calls.receive(fromClient: message(#"{"id":1,"error":{"code":1}}"#), on: Self.pipe).isEmpty)
        #expect(calls.count == 1)
        _ = calls.register("d", of: call("2"), on: Self.pipe)
        let either = said(calls.receive(fromServer: request, on: Self.pipe)).sorted()
        #expect(either == ["c", "d"].map { "\($0) asks sampling/createMessage 1, one of 2" })
    }

    @Test func `a cancelled call ends, and its late answer says nothing`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        let cancelled = { (id: String) in
            self.message(#"{"method":"notifications/cancelled","params":{"requestId":\#(id)}}"#)
        }
        #expect(calls.receive(fromClient: cancelled("\"1\""), on: Self.pipe).isEmpty)
        #expect(calls.receive(fromServer: cancelled("1"), on: Self.pipe).isEmpty, "that is the server's own request")
        #expect(said(calls.receive(fromClient: cancelled("1"), on: Self.pipe)) == ["c cancelled"])
        #expect(calls.receive(fromServer: message(#"{"id":1,"result":{}}"#), on: Self.pipe).isEmpty)
    }

    @Test func `without sessions the same id of two clients is two calls`() {
        var calls = Calls()
        let ways = [1, 2].map { MessageWay(.exchange($0), exchange: $0) }
        for way in ways { _ = calls.register("c\(way.exchange)", of: call("1"), on: way) }
        #expect(said(calls.receive(fromServer: message(#"{"id":1,"result":{}}"#), on: ways[1])) == ["c2 success"])
        #expect(said(calls.close(exchange: 1, .cancelled)) == ["c1 cancelled"])
        #expect(calls.count == 0)
    }

    @Test func `in a session an answer may come along another way`() {
        var calls = Calls()
        let post = MessageWay(.session("s"), exchange: 1)
        let stream = MessageWay(.session("s"), exchange: 2)
        _ = calls.register("c", of: call("1"), on: post)
        #expect(calls.release(exchange: 1).isEmpty)
        #expect(calls.close(exchange: 1, .connectionClosed).isEmpty)
        #expect(calls.receive(fromServer: message(#"{"id":1,"result":{}}"#), on: MessageWay(.session("t"))).isEmpty)
        #expect(said(calls.receive(fromServer: message(#"{"id":1,"result":{}}"#), on: stream)) == ["c success"])
        _ = calls.register("d", of: call("1"), on: post)
        #expect(said(calls.close(scope: .session("s"))) == ["d connection_closed"])
    }

    @Test func `answers that nobody fetches are waited for in bounds`() {
        var calls = Calls()
        var events: [Calls.Event] = []
        for number in 1...1_030 as ClosedRange<UInt64> {
            _ = calls.register("c\(number)", of: call("\(number)"), on: MessageWay(.session("s"), exchange: number))
            events += calls.release(exchange: number)
        }
        #expect(said(events) == (1...6).map { "c\($0) connection_closed" })
        #expect(calls.count == 1_024)
    }

    @Test func `progress goes to the call that has its token`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1", #""_meta":{"progressToken":"p"}"#), on: Self.pipe)
        _ = calls.register("d", of: call("2", #""_meta":{"progressToken":7}"#), on: Self.pipe)
        let progress = message(
            #"{"method":"notifications/progress","params":{"progressToken":7,"progress":1,"total":4}}"#
        )
        #expect(said(calls.receive(fromServer: progress, on: Self.pipe)) == ["d progress 1.0/4.0"])
    }

    @Test func `the next round is known by the state that comes back`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        _ = calls.receive(
            fromServer: message(#"{"id":1,"result":{"resultType":"input_required","requestState":"abc"}}"#),
            on: Self.pipe
        )
        #expect(calls.roundBefore(call("2"), on: Self.pipe) == nil)
        #expect(calls.roundBefore(call("2", #""name":"t","requestState":"other""#), on: Self.pipe) == nil)
        let next = call("2", #""name":"t","inputResponses":{},"requestState":"abc""#)
        let before = calls.roundBefore(next, on: Self.pipe)
        #expect(before?.call == "c" && before?.number == 1)
        #expect(calls.roundBefore(next, on: Self.pipe) == nil, "it has its next round")
    }

    @Test func `without a state the next round is that of the same tool with the same arguments`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1", #""name":"t","arguments":{"a":1}"#), on: Self.pipe)
        _ = calls.receive(fromServer: message(#"{"id":1,"result":{"resultType":"input_required"}}"#), on: Self.pipe)
        let next = { (a: Int) in self.call("2", #""name":"t","arguments":{"a":\#(a)},"inputResponses":{}"#) }
        #expect(calls.roundBefore(next(2), on: Self.pipe) == nil)
        #expect(calls.roundBefore(next(1), on: Self.pipe)?.call == "c")
    }

    private static let asks = #"{"id":1,"result":{"resultType":"input_required","requestState":"round 1"}}"#
    private static let nextRound = #""name":"t","inputResponses":{},"requestState":"round 1""#

    @Test(arguments: [
        (MessageWay(.session("a")), MessageWay(.session("b"))),
        (MessageWay(.exchange(1), client: 7), MessageWay(.exchange(2), client: 8)),
    ])
    func `of two clients each goes on with its own call, whatever the server's state says`(
        _ one: MessageWay,
        _ two: MessageWay
    ) {
        var calls = Calls()
        for (name, way) in [("one", one), ("two", two)] {
            _ = calls.register(name, of: call("1"), on: way)
            _ = calls.receive(fromServer: message(Self.asks), on: way)
        }
        #expect(calls.roundBefore(call("2", Self.nextRound), on: one)?.call == "one")
        #expect(calls.roundBefore(call("2", Self.nextRound), on: one) == nil)
        #expect(calls.roundBefore(call("2", Self.nextRound), on: two)?.call == "two")
    }

    @Test func `clients that cannot be told apart get no link rather than another's`() {
        var calls = Calls()
        for number in 1...2 as ClosedRange<UInt64> {
            let way = MessageWay(.exchange(number), exchange: number)
            _ = calls.register("c\(number)", of: call("1"), on: way)
            _ = calls.receive(fromServer: message(Self.asks), on: way)
        }
        let way = MessageWay(.exchange(3), exchange: 3)
        #expect(calls.roundBefore(call("2", Self.nextRound), on: way) == nil)
        let named = #""name":"t","_meta":{"io.modelcontextprotocol/clientInfo":{"name":"a"}}"#
        _ = calls.register("named", of: call("1", named), on: way)
        _ = calls.receive(fromServer: message(Self.asks), on: way)
        #expect(calls.roundBefore(call("2", Self.nextRound), on: way) == nil)
        let next = named + #","inputResponses":{},"requestState":"round 1""#
        #expect(calls.roundBefore(call("2", next), on: way)?.call == "named")
    }

    @Test func `a state is the same however it is written`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        let asks = #"{"id":1,"result":{"resultType":"input_required","requestState":"a\u002fb \u00e4"}}"#
        _ = calls.receive(fromServer: message(asks), on: Self.pipe)
        let next = call("2", #""name":"t","inputResponses":{},"requestState":"a\/b ä""#)
        #expect(calls.roundBefore(next, on: Self.pipe)?.call == "c")
    }

    @Test func `a task is that of its session, and goes on unwatched when the session ends`() {
        var calls = Calls()
        let created = message(#"{"id":1,"result":{"resultType":"task","taskId":"t","status":"working"}}"#)
        for name in ["a", "b"] {
            _ = calls.register(name, of: call("1"), on: MessageWay(.session(name)))
            _ = calls.receive(fromServer: created, on: MessageWay(.session(name)))
        }
        let ended = message(#"{"method":"notifications/tasks","params":{"taskId":"t","status":"failed"}}"#)
        #expect(calls.receive(fromServer: ended, on: MessageWay(.session("c"))).isEmpty)
        #expect(said(calls.receive(fromServer: ended, on: MessageWay(.session("b")))) == ["b tool_error"])
        let cancel = message(#"{"id":2,"method":"tasks/cancel","params":{"taskId":"t"}}"#)
        #expect(calls.receive(fromClient: cancel, on: MessageWay(.session("b"))).isEmpty)
        #expect(said(calls.close(scope: .session("a"))) == ["a success"])
    }

    @Test(arguments: [
        (#""result":{"status":"completed","result":{"isError":false}}"#, "c success"),
        (#""result":{"status":"completed","result":{"isError":true}}"#, "c tool_error"),
        (#""result":{"status":"failed","error":{"code":-32603}}"#, "c -32603"),
        (#""result":{"status":"cancelled"}"#, "c cancelled"),
    ])
    func `a task ends when somebody hears that it has ended`(_ answer: String, _ expected: String) {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        let created = message(#"{"id":1,"result":{"resultType":"task","taskId":"t","status":"working"}}"#)
        #expect(said(calls.receive(fromServer: created, on: Self.pipe)) == ["c task t working"])
        let poll = message(#"{"id":2,"method":"tasks/get","params":{"taskId":"t"}}"#)
        for _ in 0..<2 {
            #expect(calls.receive(fromClient: poll, on: Self.pipe).isEmpty)
            #expect(
                calls.receive(fromServer: message(#"{"id":2,"result":{"status":"working"}}"#), on: Self.pipe).isEmpty
            )
        }
        _ = calls.receive(fromClient: poll, on: Self.pipe)
        #expect(said(calls.receive(fromServer: message("{\"id\":2,\(answer)}"), on: Self.pipe)) == [expected])
    }

    @Test func `each question about a task is the caller's to make something of, up to 128`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        let poll = message(#"{"id":2,"method":"tasks/get","params":{"taskId":"t"}}"#)
        #expect(calls.callPolled(by: poll, on: Self.pipe) == nil)
        let created = message(#"{"id":1,"result":{"resultType":"task","taskId":"t","status":"working"}}"#)
        _ = calls.receive(fromServer: created, on: Self.pipe)
        for (answer, expected) in [
            (#""result":{"status":"working"}"#, ["p success"]), (#""error":{"code":-32603}"#, ["p -32603"]),
            (#""result":{"status":"completed"}"#, ["p success", "c success"]),
        ] {
            #expect(calls.callPolled(by: poll, on: Self.pipe) == "c")
            #expect(calls.register(poll: "p", of: poll, on: Self.pipe) == true)
            #expect(said(calls.receive(fromServer: message("{\"id\":2,\(answer)}"), on: Self.pipe)) == expected)
        }
        #expect(calls.callPolled(by: poll, on: Self.pipe) == nil)
        _ = calls.register("d", of: call("1"), on: Self.pipe)
        _ = calls.receive(fromServer: created, on: Self.pipe)
        var pollCount = 0
        while calls.callPolled(by: poll, on: Self.pipe) == "d", pollCount < 200 { pollCount += 1 }
        #expect(pollCount == 128)
    }

    @Test func `a question about a task that is given up ends, and the task goes on`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        let created = message(#"{"id":1,"result":{"resultType":"task","taskId":"t","status":"working"}}"#)
        _ = calls.receive(fromServer: created, on: Self.pipe)
        let poll = message(#"{"id":2,"method":"tasks/result","params":{"taskId":"t"}}"#)
        #expect(calls.register(poll: "p", of: poll, on: MessageWay(.connection, exchange: 7)) == true)
        #expect(said(calls.close(exchange: 7, .cancelled)) == ["p cancelled"])
        #expect(calls.callPolled(by: poll, on: Self.pipe) == "c")
    }

    @Test func `what the server asks ends with the client's answer, or when the server takes it back`() {
        var calls = Calls()
        let asks = message(#"{"id":1,"method":"elicitation/create","params":{}}"#)
        #expect(calls.candidates(on: Self.pipe).isEmpty)
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        #expect(calls.candidates(on: Self.pipe) == ["c"])
        #expect(calls.register(serverRequest: "e", of: asks, on: Self.pipe) == true)
        #expect(calls.candidates(on: Self.pipe) == ["c"])
        #expect(said(calls.receive(fromClient: message(#"{"id":1,"result":{}}"#), on: Self.pipe)) == ["e success"])
        _ = calls.register(serverRequest: "f", of: asks, on: Self.pipe)
        let back = message(#"{"method":"notifications/cancelled","params":{"requestId":1}}"#)
        #expect(said(calls.receive(fromServer: back, on: Self.pipe)) == ["f cancelled"])
        #expect(said(calls.receive(fromServer: message(#"{"id":1,"result":{}}"#), on: Self.pipe)) == ["c success"])
        for id in 1...17 { _ = calls.register("c\(id)", of: call("\(id)"), on: Self.pipe) }
        #expect(calls.candidates(on: Self.pipe).isEmpty)
    }

    @Test func `a task of 2025-11-25 ends with its result`() {
        var calls = Calls()
        _ = calls.register("c", of: call("1"), on: Self.pipe)
        _ = calls.receive(
            fromServer: message(#"{"id":1,"result":{"task":{"taskId":"t","status":"working"}}}"#),
            on: Self.pipe
        )
        let ask = message(#"{"id":2,"method":"tasks/result","params":{"taskId":"t"}}"#)
        _ = calls.receive(fromClient: ask, on: Self.pipe)
        #expect(said(calls.receive(fromServer: message(#"{"id":2,"result":{}}"#), on: Self.pipe)) == ["c success"])
    }

    @Test func `the handshake says who is there`() {
        var calls = Calls()
        _ = calls.receive(fromClient: message(#"{"id":0,"method":"initialize"}"#), on: Self.pipe)
        let answer = message(#"{"id":0,"result":{"protocolVersion":"2025-11-25","serverInfo":{"name":"fs"}}}"#)
        #expect(said(calls.receive(fromServer: answer, on: Self.pipe)) == ["server fs 2025-11-25"])
    }

    @Test func `what is more than can be watched is counted`() {
        var calls = Calls(countMax: 2)
        var taken: [Bool] = []
        for (name, id) in [("a", "1"), ("b", "1"), ("c", "3")] {
            taken.append(calls.register(name, of: call(id), on: Self.pipe))
        }
        #expect(taken == [true, true, false])
        #expect(calls.overflowCount == 1)
        #expect(said(calls.closeAll()) == ["a connection_closed", "b connection_closed"])
    }
}
