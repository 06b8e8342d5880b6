// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SkeinBase
import SkeinWire

/// Sends requests of spans over OTLP/HTTP (OTLP 1.9 §OTLP/HTTP), again when the server asks for patience.
struct SpanSender: Sendable {
    /// Of the trace endpoint.
    let url: String
    /// Times that a request is sent before it counts as failed.
    var attemptsMax = 6
    /// Whether the server is to keep all spans, whatever it samples.
    var isImport = false
    var clock: any WallClock = SystemClock()

    /// Most bytes of an answer.
    private static let answerBytesMax = 1 << 20
    /// Longest wait that a server may ask for.
    private static let waitSecondsMax = 60.0

    /// What a server said to a request that it took.
    struct Answer: Sendable {
        /// Spans that it did not take for good.
        var rejectedCount = 0
        /// Why, or what else it has to say.
        var message = ""
    }

    /// Why a request was not taken.
    enum Failure: Error, Sendable {
        /// The server said no, or had no room however often it was asked.
        case refused(status: Int, message: String)
        /// There is no server, or it went away.
        case unreachable
    }

    /// Sends the protobuf of an `ExportTraceServiceRequest`. `onRetry` is called before it is sent again.
    func send(_ body: ByteBuffer, onRetry: () -> Void) async throws(Failure) -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-protobuf")
        if isImport { request.headers.add(name: "x-skein-import", value: "1") }
        request.body = .bytes(body)
        var attempt = 1
        while true {
            let (status, headers, answer) = try await execute(request)
            if status == 200 { return Self.answer(answer) }
            // OTLP 1.9 §"Retryable Response Codes"
            guard [429, 502, 503, 504].contains(status), attempt < attemptsMax else {
                throw .refused(status: status, message: Self.statusMessage(answer))
            }
            onRetry()
            let wished = headers.first(name: "retry-after").flatMap { Double($0) }
            let seconds = min(max(wished ?? 0.2 * Double(attempt), 0.05), Self.waitSecondsMax)
            do { try await clock.sleep(nanos: UInt64(seconds * 1e9)) } catch { throw .unreachable }
            attempt += 1
        }
    }

    private func execute(_ request: HTTPClientRequest) async throws(Failure) -> (Int, HTTPHeaders, ByteBuffer) {
        do {
            let response = try await ServerClient.connections.execute(request, timeout: .seconds(60))
            let body = try await response.body.collect(upTo: Self.answerBytesMax)
            return (Int(response.status.code), response.headers, body)
        } catch {
            throw .unreachable
        }
    }

    /// `ExportTraceServiceResponse { 1 partial_success { 1 rejected_spans, 2 error_message } }`
    private static func answer(_ body: ByteBuffer) -> Answer {
        body.withUnsafeReadableBytes { bytes in
            var answer = Answer()
            var response = ProtobufReader(bytes)
            do throws(WireError) {
                while let tag = try response.nextTag() {
                    guard tag == 0x0a else {
                        try response.skip(tag)
                        continue
                    }
                    var partial = try response.readMessage()
                    while let tag = try partial.nextTag() {
                        switch tag {
                        case 0x08: answer.rejectedCount = Int(clamping: Int64(bitPattern: try partial.readVarint()))
                        case 0x12: answer.message = UTF8Text.repaired(try partial.readBytes())
                        default: try partial.skip(tag)
                        }
                    }
                }
            } catch {
                return answer
            }
            return answer
        }
    }

    /// `google.rpc.Status { 1 code, 2 message }`
    private static func statusMessage(_ body: ByteBuffer) -> String {
        body.withUnsafeReadableBytes { bytes in
            var status = ProtobufReader(bytes)
            do throws(WireError) {
                while let tag = try status.nextTag() {
                    if tag == 0x12 { return UTF8Text.repaired(try status.readBytes()) }
                    try status.skip(tag)
                }
            } catch {
                return ""
            }
            return ""
        }
    }
}
