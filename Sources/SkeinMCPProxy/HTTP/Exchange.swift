// SPDX-License-Identifier: Apache-2.0
import SkeinMCP
import Synchronization

/// One request of HTTP with its answer, as far as calls of tools are made by it. It ends once; when nobody holds it any more it has
/// been given up, and so has what it asked.
final class Exchange: Sendable {
    let way: MessageWay
    private let conversation: Conversation
    /// A call whose body cannot be read.
    private let opaqueCall: ToolCall?
    private let opaqueOutcome = Mutex<CallOutcome?>(nil)
    private let isOver = Mutex(false)
    /// What a status of HTTP in place of an answer means. Who has read it often reads no more, which is no cancellation.
    private let refusal = Mutex<CallOutcome?>(nil)
    private let open: OpenExchanges

    init(_ way: MessageWay, _ conversation: Conversation, opaqueCall: ToolCall?, countedIn open: OpenExchanges) {
        self.way = way
        self.conversation = conversation
        self.opaqueCall = opaqueCall
        self.open = open
        open.add(1)
    }

    deinit { end(.cancelled, byteCount: nil) }

    /// Takes note of a message of the answer.
    func note(_ scan: JSONRPCScanner.Scan) {
        conversation.note(fromServer: scan, on: way)
        guard opaqueCall != nil else { return }
        for message in scan.messages where message.kind == .response {
            let outcome: CallOutcome =
                if message.isError {
                    .failure(code: message.errorCode ?? "error")
                } else {
                    message.result?.isError == true ? .toolError : .success
                }
            opaqueOutcome.withLock { $0 = outcome }
        }
    }

    /// Takes note of a message of the stream that carries the answers of what was posted to `endpoint`.
    func note(_ scan: JSONRPCScanner.Scan, of endpoint: String) {
        conversation.note(fromServer: scan, on: MessageWay(.session(endpoint)))
    }

    /// The server refused what was asked.
    func refuse(_ outcome: CallOutcome) { refusal.withLock { $0 = outcome } }

    /// Ends what has no answer with `outcome`, or as the server refused it. `byteCount` is that of the answer's body.
    func end(_ outcome: CallOutcome, byteCount: Int?) {
        guard isFirstEnd() else { return }
        defer { open.add(-1) }
        let outcome = refusal.withLock(\.self) ?? outcome
        conversation.close(exchange: way.exchange, outcome)
        opaqueCall?.end(opaqueOutcome.withLock(\.self) ?? outcome, responseBytes: byteCount)
    }

    /// Leaves what has no answer to its session.
    func release() {
        guard isFirstEnd() else { return }
        defer { open.add(-1) }
        conversation.release(exchange: way.exchange)
        opaqueCall?.end(opaqueOutcome.withLock(\.self) ?? .success, responseBytes: nil)
    }

    private func isFirstEnd() -> Bool {
        isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
    }
}

/// How many exchanges have not ended. A client's connection is gone before what was done for it has ended.
final class OpenExchanges: Sendable {
    private let count = Mutex(0)

    func add(_ change: Int) { count.withLock { $0 += change } }

    /// Returns when all have ended, at the latest after `grace`.
    func drain(grace: Duration) async {
        let deadline = ContinuousClock.now + grace
        while count.withLock({ $0 > 0 }), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(1))
        }
    }
}
