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

    init(_ way: MessageWay, _ conversation: Conversation, opaqueCall: ToolCall?) {
        self.way = way
        self.conversation = conversation
        self.opaqueCall = opaqueCall
    }

    deinit { end(.cancelled, byteCount: nil) }

    /// Takes note of a message of the answer.
    func note(_ bytes: UnsafeRawBufferPointer, isPart: Bool = false, byteCount: Int? = nil) {
        conversation.note(fromServer: bytes, on: way, isPart: isPart, byteCount: byteCount)
        guard opaqueCall != nil else { return }
        for message in JSONRPCScanner.scan(bytes).messages where message.kind == .response {
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
    func note(_ bytes: UnsafeRawBufferPointer, of endpoint: String, isPart: Bool) {
        conversation.note(fromServer: bytes, on: MessageWay(.session(endpoint)), isPart: isPart)
    }

    /// Ends what has no answer with `outcome`. `byteCount` is that of the answer's body.
    func end(_ outcome: CallOutcome, byteCount: Int?) {
        let wasOver = isOver.withLock { isOver in
            defer { isOver = true }
            return isOver
        }
        if wasOver { return }
        conversation.close(exchange: way.exchange, outcome)
        opaqueCall?.end(opaqueOutcome.withLock(\.self) ?? outcome, responseBytes: byteCount)
    }

    /// Leaves what has no answer to its session.
    func release() {
        isOver.withLock { $0 = true }
        conversation.release(exchange: way.exchange)
        opaqueCall?.end(opaqueOutcome.withLock(\.self) ?? .success, responseBytes: nil)
    }
}
