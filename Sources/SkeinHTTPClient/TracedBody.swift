// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import SkeinRecording
import Tracing

/// The body of a response, whose end is that of a span.
struct TracedBody: AsyncSequence, Sendable {
    let base: HTTPClientResponse.Body
    let ending: SpanEnding

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: HTTPClientResponse.Body.AsyncIterator
        let ending: SpanEnding

        mutating func next() async throws -> ByteBuffer? {
            do {
                let part = try await base.next()
                if part == nil { ending.end() }
                return part
            } catch {
                ending.end(error)
                throw error
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: base.makeAsyncIterator(), ending: ending) }
}

/// Ends a span, at the latest when nobody has it any more.
final class SpanEnding: Sendable {
    private let span: SkeinSpan

    init(_ span: SkeinSpan) { self.span = span }

    deinit { span.end() }

    func end(_ error: (any Error)? = nil) {
        if let error {
            // The description of what went wrong, without what differs from request to request.
            if let error = error as? HTTPClientError { span.setAttribute("error.type", error.shortDescription) }
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
    }
}
