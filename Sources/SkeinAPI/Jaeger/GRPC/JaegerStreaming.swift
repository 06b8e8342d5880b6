// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// What both versions of Jaeger's gRPC service share.
struct JaegerStreaming: Sendable {
    let api: API
    let call: APICall

    /// A message ends before it is longer, unless one span is.
    static let messageBytesMax = 1 << 20

    init(_ api: API, _ path: String) {
        self.api = api
        let route = Route("POST", path) { _, call throws(APIError) in throw .unknownPath(call.request.path) }
        call = APICall(request: APIRequest(method: "POST", target: path), pathValues: [], route: route)
    }

    /// An answer that `produce` makes: it sends messages and may throw ``APIError``, which becomes a status.
    func answer(
        _ produce: @escaping @Sendable (JaegerStreaming, APIStreamAnswer.Send) async throws -> Void
    ) -> APIStreamAnswer {
        APIStreamAnswer { send in
            do { try await produce(self, send) } catch let error as APIError { throw APIStreamStatus(error) }
        }
    }

    /// An answer of one message.
    func answer(of message: @escaping @Sendable (JaegerStreaming) async throws(APIError) -> [UInt8]) -> APIStreamAnswer
    {
        answer { streaming, send in try await send(try await message(streaming)) }
    }

    /// Calls `body` with each of these traces, whole, while its memory is held.
    ///
    /// A trace that is gone is left out, and so is one that is too large for an answer unless it is the only one.
    func forEachTrace(_ ids: [TraceID], _ body: (SpanBatch) async throws -> Void) async throws {
        var room = AnswerRoom(api.answers)
        for id in ids {
            let found: SpanBatch?
            do throws(APIError) {
                found = try await api.trace(id, call, room: &room)
            } catch {
                guard error.traceID != nil, ids.count > 1 else { throw error }
                continue
            }
            if let batch = found, !batch.isEmpty { try await body(batch) }
        }
    }

    /// Calls `body` with the trace of that id; throws 404 when there is none.
    func forTrace(_ id: TraceID, _ body: (SpanBatch) async throws -> Void) async throws {
        var isFound = false
        try await forEachTrace([id]) { batch in
            isFound = true
            try await body(batch)
        }
        if !isFound { throw JaegerAPI.notFound() }
    }
}
