// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import NIOHTTP1
import SkeinCompression
package import SkeinPipeline
import SkeinWire

/// What Jaeger clients post to a collector: `POST /api/traces` with a `Batch` in Thrift's binary encoding.
package struct JaegerHTTPService: HTTPService {
    private static let contentTypes = ["application/x-thrift", "application/vnd.apache.thrift.binary"]

    private let intake: SpanIntake
    private let decoders: DecoderPool<Jaeger.ThriftDecoder>
    /// Answers what is asked at any other path, such as sampling strategies; `nil` for what it does not know.
    private let other: @Sendable (HTTPRequestHead) -> HTTPAnswer?

    /// A service in front of `intake`.
    package init(_ intake: SpanIntake, other: @escaping @Sendable (HTTPRequestHead) -> HTTPAnswer? = { _ in nil }) {
        self.intake = intake
        self.other = other
        decoders = DecoderPool { [limits = intake.limits] in Jaeger.ThriftDecoder(limits: limits) }
    }

    package func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { false }

    package func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? {
        guard head.path == "/api/traces" else {
            if let answer = other(head) { return answer }
            intake.counters.requests.add()
            return refuse(.text(.notFound, "404 not found: spans are taken at POST /api/traces"))
        }
        intake.counters.requests.add()
        guard head.method == .POST else { return refuse(.methodNotAllowed()) }
        let type = head.mediaType ?? ""
        guard Self.contentTypes.contains(type) else {
            let list = Self.contentTypes.joined(separator: ", ")
            return refuse(
                .text(
                    .badRequest,
                    type.isEmpty
                        ? "Cannot parse content type: send one of \(list)"
                        : "Unsupported content type: \(type.prefix(100)), supported: \(list)"
                )
            )
        }
        return head.contentCoding == nil ? refuse(.unsupportedCoding(of: head)) : nil
    }

    package func respond(to call: consuming HTTPCall) async -> HTTPAnswer {
        let (head, body, memory) = (call.head, call.body, call.memory)
        _ = consume call
        do throws(Refusal) {
            _ = try await intake.receive(body, coding: head.contentCoding ?? .identity, memory: memory) {
                bytes,
                now throws(WireError) -> DecodedSpans in
                try decoders.lend { decoder throws(WireError) in
                    try decoder.decodeBatch(bytes, receivedUnixNanos: now)
                }
            }
            return HTTPAnswer(.accepted)
        } catch {
            return answer(to: error, head: head)
        }
    }

    package func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        intake.counters.refuse(refusal.reason)
        return .text(refusal)
    }

    private func refuse(_ answer: HTTPAnswer) -> HTTPAnswer {
        intake.counters.refuse(.unsupported)
        return answer
    }
}
