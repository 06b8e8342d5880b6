// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import SkeinAPI
import SkeinBase
import SkeinCompression
import SkeinPipeline
import SkeinReceivers

/// The query APIs for gRPC listeners: every call is a query that passes the gate.
struct CallService: GRPCService {
    let service: any APIStreamService
    let queries: QueryGate
    /// Messages on their way are counted against it.
    let memory: ByteBudget
    let messageBytesMax: Int
    let refusals: RefusalCounters
    let logger: Logger

    func method(at path: String) -> GRPCMethod? {
        // Nothing happens yet.
        guard service.call(path, []) != nil else { return nil }
        return .serverStreaming { request, writer throws(GRPCStatus) in
            let message = try plainMessage(request)
            _ = consume request
            guard let pass = queries.enter() else {
                let detail = "\(queries.limit) queries are running, which is the limit (--queries-max): try again"
                throw GRPCStatus(.unavailable, detail, retryAfterSeconds: 1)
            }
            let isWhole: Bool?
            do {
                isWhole = try await pass.run {
                    try await answer(path, message, writer)
                    return true
                }
            } catch {
                throw status(for: error, path)
            }
            guard isWhole != nil else { throw GRPCStatus(.deadlineExceeded, queries.lateness) }
        }
    }

    func count(_ reason: Refusal.Reason) { refusals.add(reason) }

    private func plainMessage(_ request: borrowing GRPCRequest) throws(GRPCStatus) -> [UInt8] {
        let coding = request.coding.flatMap { ContentCoding(rawValue: $0) } ?? .identity
        let result: Result<[UInt8], CompressionError> = request.message.withUnsafeReadableBytes { bytes in
            do throws(CompressionError) {
                return .success(try coding.decode(bytes, limit: messageBytesMax))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let message): return message
        case .failure(let error):
            let refusal =
                switch error.code {
                case .tooLarge: Refusal(.tooLarge, "unpacked, the message is larger than \(messageBytesMax) bytes")
                case .corrupt: Refusal(.malformed, error.message)
                }
            count(refusal.reason)
            throw GRPCStatus(refusal)
        }
    }

    private func answer(_ path: String, _ message: [UInt8], _ writer: GRPCMessageWriter) async throws {
        try await service.call(path, message)?.run { message in
            let counted = HeldMemory(memory)
            // It is there already, and again while it is sent.
            counted.resizeAnyway(to: 2 * message.count)
            try await writer.write(ByteBuffer(bytes: message))
            withExtendedLifetime(counted) {}
        }
    }

    /// The status for whatever ended an answer early.
    private func status(for error: any Error, _ path: String) -> GRPCStatus {
        switch error {
        case let status as GRPCStatus: return status
        case let status as APIStreamStatus:
            if let message = status.logMessage { logger.error("\(message)", metadata: ["route": "\(path)"]) }
            return GRPCStatus(
                GRPCStatus.Code(rawValue: status.code.rawValue) ?? .unknown,
                status.message,
                retryAfterSeconds: status.retryAfterSeconds
            )
        case is CancellationError: return GRPCStatus(.cancelled, "the call was cancelled before it was answered")
        default:
            logger.error("\(error)", metadata: ["route": "\(path)"])
            return GRPCStatus(.internal, "the answer could not be made: the server's log has the cause")
        }
    }
}
