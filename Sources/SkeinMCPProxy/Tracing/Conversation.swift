// SPDX-License-Identifier: Apache-2.0
import SkeinMCP
import SkeinPropagation
import SkeinRecording
import Synchronization
import Tracing

/// All that is said between the clients of a proxy and its server: makes a span of each call of a tool, and of what is asked on its
/// behalf while it goes on.
///
/// Nothing here waits, whatever becomes of the spans.
final class Conversation: Sendable {
    private struct State {
        var calls = PendingCalls<ToolCall>()
        var serverName: String?
        /// What the handshake on the pipes agreed on.
        var protocolVersion: String?
    }

    /// What stands around a message of the client.
    struct Surroundings {
        var way: MessageWay
        var ambience: Ambience
        /// As a header says.
        var protocolVersion: String?
    }

    private let tracer: SkeinTracer
    private let transport: String
    private let policy: ContextPolicy
    private let state = Mutex(State())

    /// `transport` is `pipe` or `tcp`.
    init(_ tracing: ProxyTracing, transport: String, policy: ContextPolicy) {
        tracer = tracing.tracer
        self.transport = transport
        self.policy = policy
    }

    /// Takes note of what a client is about to send, and gives back what has to change in it, where it can be.
    func note(fromClient scan: JSONRPCScanner.Scan, in surroundings: Surroundings) -> [ByteEdit] {
        state.withLock { state in
            var edits: [ByteEdit] = []
            for message in scan.messages {
                let begun: ToolCall?
                if message.kind == .request, message.method == "tools/call" {
                    begun = begin(message, in: surroundings, &state)
                } else if let call = state.calls.callPolled(by: message, on: surroundings.way) {
                    begun = beginPoll(message, of: call, on: surroundings.way, &state)
                } else {
                    let byteCount = message.kind == .response ? message.range.count : nil
                    let events = state.calls.receive(fromClient: message, on: surroundings.way)
                    act(on: events, byteCount, &state)
                    begun = Self.cancelled(by: message, events)
                }
                let splice = begun?.splice(policy.baggage)?.edits(of: message) ?? []
                edits += (splice + policy.baggage.edits(of: message)).sorted {
                    $0.range.lowerBound < $1.range.lowerBound
                }
            }
            return edits
        }
    }

    /// What a notification without a context of its own gives up, so that the server's span of it is no trace by itself.
    private static func cancelled(by message: JSONRPCMessage, _ events: [PendingCalls<ToolCall>.Event]) -> ToolCall? {
        guard message.kind == .notification, message.params?.meta?.traceparent == nil,
            case .ended(let call, .cancelled)? = events.first
        else { return nil }
        return call
    }

    private func beginPoll(
        _ message: JSONRPCMessage,
        of call: ToolCall,
        on way: MessageWay,
        _ state: inout State
    ) -> ToolCall {
        let meta = message.params?.meta
        let poll = ToolCall(
            request(message),
            about: call,
            meta: Ambience.context(traceparent: meta?.traceparent?.value, tracestate: meta?.tracestate?.value),
            tracer: tracer
        )
        if !state.calls.register(poll: poll, of: message, on: way) { poll.end(.success, responseBytes: nil) }
        return poll
    }

    private func request(_ message: JSONRPCMessage) -> ToolCall.Request {
        ToolCall.Request(
            method: message.method ?? "",
            id: message.id,
            taskID: message.params?.taskID,
            transport: transport,
            byteCount: message.range.count
        )
    }

    private func begin(_ message: JSONRPCMessage, in surroundings: Surroundings, _ state: inout State) -> ToolCall {
        let (params, meta) = (message.params, message.params?.meta)
        let before = state.calls.roundBefore(message, on: surroundings.way)
        let handshake = surroundings.way.scope == .connection ? state.protocolVersion : nil
        let start = ToolCall.Start(
            tool: params?.name,
            id: message.id,
            toolCallID: meta?.toolUseID,
            sessionID: meta?.sessionID,
            transport: transport,
            protocolVersion: meta?.protocolVersion ?? surroundings.protocolVersion ?? handshake,
            serverName: state.serverName,
            requestBytes: message.range.count,
            round: before.map { $0.number + 1 } ?? 1,
            continues: before?.call.span.spanContext
        )
        let call = ToolCall(
            start,
            meta: Ambience.context(traceparent: meta?.traceparent?.value, tracestate: meta?.tracestate?.value),
            ambience: surroundings.ambience,
            policy: policy,
            tracer: tracer
        )
        // One more than can be watched ends at once, rather than never.
        if !state.calls.register(call, of: message, round: start.round, on: surroundings.way) {
            call.end(.success, responseBytes: nil)
        }
        return call
    }

    /// Begins a call whose body cannot be read. Who begins it ends it.
    func beginOpaque(tool: String?, requestBytes: Int, in surroundings: Surroundings) -> ToolCall {
        let serverName = state.withLock(\.serverName)
        let start = ToolCall.Start(
            tool: tool,
            transport: transport,
            protocolVersion: surroundings.protocolVersion,
            serverName: serverName,
            requestBytes: requestBytes
        )
        return ToolCall(
            start,
            meta: PropagatedContext(),
            ambience: surroundings.ambience,
            policy: policy,
            tracer: tracer
        )
    }

    /// Takes note of what the server has sent.
    func note(fromServer scan: JSONRPCScanner.Scan, on way: MessageWay) {
        state.withLock { state in
            for message in scan.messages {
                act(on: state.calls.receive(fromServer: message, on: way), message.range.count, &state)
                if message.kind == .request, message.method != "ping" { beginAsked(message, on: way, &state) }
            }
        }
    }

    /// What a tool wants of its client, a model's answer or a person's, is part of the call.
    private func beginAsked(_ message: JSONRPCMessage, on way: MessageWay, _ state: inout State) {
        let calls = state.calls.candidates(on: way)
        guard !calls.isEmpty else { return }
        let asked = ToolCall(request(message), onBehalfOf: calls, tracer: tracer)
        if !state.calls.register(serverRequest: asked, of: message, on: way) { asked.end(.success, responseBytes: nil) }
    }

    // MARK: Ends

    /// The request of HTTP is over: no answer comes to what it asked.
    func close(exchange: UInt64, _ outcome: CallOutcome) {
        state.withLock { act(on: $0.calls.close(exchange: exchange, outcome), nil, &$0) }
    }

    /// The request of HTTP is over, and what it asked is answered along another way of its session.
    func release(exchange: UInt64) {
        state.withLock { act(on: $0.calls.release(exchange: exchange), nil, &$0) }
    }

    /// The session is over.
    func close(session: String) {
        state.withLock { act(on: $0.calls.close(scope: .session(session)), nil, &$0) }
    }

    /// Everything is over.
    func closeAll() { state.withLock { act(on: $0.calls.closeAll(), nil, &$0) } }

    private func act(on events: [PendingCalls<ToolCall>.Event], _ byteCount: Int?, _ state: inout State) {
        for event in events {
            switch event {
            case .ended(let call, let outcome):
                call.end(outcome, responseBytes: byteCount, serverName: state.serverName)
            case .becameTask(let call, let id, let status):
                call.span.setAttribute("worktrace.mcp.task.id", id)
                call.span.addEvent("mcp.task", attributes: status.map { ["mcp.task.status": .string($0)] } ?? [:])
            case .progress(let call, let progress, let total):
                var attributes: SpanAttributes = [:]
                if let progress { attributes.set("mcp.progress.value", value: .double(progress)) }
                if let total { attributes.set("mcp.progress.total", value: .double(total)) }
                call.span.addEvent("mcp.progress", attributes: attributes)
            case .serverRequest(let call, let method, let id, let candidates):
                var attributes: SpanAttributes = ["mcp.method.name": .string(method)]
                attributes.set("jsonrpc.request.id", value: .string("\(id)"))
                if candidates > 1 { attributes.set("worktrace.mcp.candidates", value: .int64(Int64(candidates))) }
                call.span.addEvent("mcp.server_request", attributes: attributes)
            case .server(let name, let version):
                state.serverName = name ?? state.serverName
                state.protocolVersion = version ?? state.protocolVersion
            }
        }
    }
}
