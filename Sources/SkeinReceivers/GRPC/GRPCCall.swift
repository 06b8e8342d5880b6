// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHPACK
import SkeinPipeline

/// The server's side of one call with one message, up to its answer, as a state machine: events in, actions out, no channel inside.
///
/// Follows "gRPC over HTTP/2" and the status codes of gRPC core (`statuscodes.md`) for what goes wrong.
struct GRPCCall {
    /// What the stream has to do after an event.
    enum Action {
        case wait
        /// The request is whole: run the method.
        case run(GRPCMethod, GRPCRequest)
        /// Send trailers only and drop what still comes.
        case fail(GRPCStatus, reason: Refusal.Reason)
        /// Not gRPC at all: an HTTP status beside the gRPC one.
        case reject(httpStatus: Int, GRPCStatus, reason: Refusal.Reason)
    }

    private enum State {
        case awaitingHeaders
        case receiving(GRPCMethod)
        case running
        case closed
    }

    private static let prefixLength = 5

    private let messageBytesMax: Int
    private var state = State.awaitingHeaders
    /// How long the client waits, when it said.
    private(set) var timeout: TimeAmount?
    private var coding: String?
    private var buffer = ByteBuffer()
    /// Length and flag of the message under way, once its prefix is here.
    private var prefix: (isCompressed: Bool, length: Int)?

    /// A call whose message, as sent, may have up to `messageBytesMax` bytes.
    init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

    /// Whether the request is still coming.
    var isReceiving: Bool {
        switch state {
        case .awaitingHeaders, .receiving: true
        case .running, .closed: false
        }
    }

    mutating func receive(_ headers: HPACKHeaders, service: some GRPCService) -> Action {
        // A second header block is the request's trailers; they carry nothing here.
        guard case .awaitingHeaders = state else { return .wait }
        guard headers.first(name: ":method") == "POST" else {
            return reject(405, "gRPC calls are POST requests")
        }
        guard headers.first(name: "content-type")?.hasPrefix("application/grpc") == true else {
            return reject(415, "this port speaks gRPC: content-type must be application/grpc")
        }
        let path = headers.first(name: ":path") ?? ""
        guard let method = service.method(at: path) else {
            return fail(.unimplemented, "there is no method \(path.prefix(200)) here", .unsupported)
        }
        let named = headers.first(name: "grpc-encoding") ?? "identity"
        guard GRPCCodings.isKnown(named) else {
            return fail(
                .unimplemented,
                "messages encoded as \(named.prefix(40)) are not taken: use one of \(GRPCCodings.list)",
                .unsupported
            )
        }
        if case .serverStreaming = method, let text = headers.first(name: "grpc-timeout") {
            guard let timeout = GRPCTimeout.parse(text) else {
                return fail(
                    .internal,
                    "grpc-timeout is \(text.prefix(20)): it has to be up to 8 digits and one of H, M, S, m, u, n",
                    .malformed
                )
            }
            self.timeout = timeout
        }
        coding = named == "identity" ? nil : named
        state = .receiving(method)
        return .wait
    }

    mutating func receive(_ data: ByteBuffer) -> Action {
        guard case .receiving = state else { return .wait }
        if buffer.readableBytes == 0 {
            buffer = data
        } else {
            var data = data
            buffer.writeBuffer(&data)
        }
        if prefix == nil {
            guard let flag = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
                let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self)
            else { return .wait }
            guard flag <= 1 else {
                return fail(.internal, "the message's compressed flag is \(flag), which is neither 0 nor 1", .malformed)
            }
            guard flag == 0 || coding != nil else {
                return fail(.internal, "the message is flagged as compressed but no grpc-encoding is given", .malformed)
            }
            guard Int(length) <= messageBytesMax else {
                return fail(
                    .resourceExhausted,
                    "the message has \(length) bytes, the limit is \(messageBytesMax): send smaller batches",
                    .tooLarge
                )
            }
            prefix = (flag == 1, Int(length))
        }
        return excess
    }

    mutating func receiveEnd() -> Action {
        guard case .receiving(let method) = state else { return .wait }
        if buffer.readableBytes == 0 {
            return fail(.unimplemented, "the method takes one message, and none came", .malformed)
        }
        guard let prefix, buffer.readableBytes >= Self.prefixLength + prefix.length else {
            return fail(.invalidArgument, "the stream ends inside a message", .malformed)
        }
        if case .fail(let status, let reason) = excess { return .fail(status, reason: reason) }
        buffer.moveReaderIndex(forwardBy: Self.prefixLength)
        let request = GRPCRequest(message: buffer, coding: prefix.isCompressed ? coding : nil)
        buffer = ByteBuffer()
        state = .running
        return .run(method, request)
    }

    /// Ends a call that the stream itself has to refuse; `.wait` when there is nothing left to refuse.
    mutating func refuse(_ refusal: Refusal) -> Action {
        guard isReceiving else { return .wait }
        close()
        return .fail(GRPCStatus(refusal), reason: refusal.reason)
    }

    /// The answer is on its way; nothing more is expected.
    mutating func close() {
        state = .closed
        buffer = ByteBuffer()
    }

    /// More than the one message that a unary call has is refused as soon as it shows.
    private var excess: Action {
        mutating get {
            guard let prefix, buffer.readableBytes > Self.prefixLength + prefix.length else { return .wait }
            return fail(.unimplemented, "the method takes one message, and more came", .malformed)
        }
    }

    private mutating func fail(_ code: GRPCStatus.Code, _ message: String, _ reason: Refusal.Reason) -> Action {
        close()
        return .fail(GRPCStatus(code, message), reason: reason)
    }

    private mutating func reject(_ httpStatus: Int, _ message: String) -> Action {
        close()
        return .reject(httpStatus: httpStatus, GRPCStatus(.unimplemented, message), reason: .unsupported)
    }
}
