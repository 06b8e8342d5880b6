// SPDX-License-Identifier: Apache-2.0
import NIOHPACK
import SkeinBase
package import SkeinPipeline
import SkeinWire

/// How a call failed (gRPC over HTTP/2, `Responses`).
package struct GRPCStatus: Error, Hashable, Sendable {
    /// The codes there are (gRPC "Status codes and their use").
    package enum Code: Int, Sendable {
        case ok = 0
        case cancelled
        case unknown
        case invalidArgument
        case deadlineExceeded
        case notFound
        case alreadyExists
        case permissionDenied
        case resourceExhausted
        case failedPrecondition
        case aborted
        case outOfRange
        case unimplemented
        case `internal`
        case unavailable
        case dataLoss
        case unauthenticated
    }

    package var code: Code
    /// For a person; any Unicode.
    package var message: String
    /// Seconds after which the same call may succeed, sent as `google.rpc.RetryInfo`; `nil` when trying again is of no
    /// use or nothing is known.
    package var retryAfterSeconds: Int?

    /// A status.
    package init(_ code: Code, _ message: String, retryAfterSeconds: Int? = nil) {
        self.code = code
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The status for a refusal (OTLP 1.5 §Failures): only what may succeed later carries `RetryInfo`.
    package init(_ refusal: Refusal) {
        switch refusal.reason {
        case .malformed: self.init(.invalidArgument, refusal.message)
        case .tooLarge: self.init(.resourceExhausted, refusal.message)
        case .forbidden: self.init(.permissionDenied, refusal.message)
        case .unsupported: self.init(.unimplemented, refusal.message)
        case .incomplete: self.init(.deadlineExceeded, refusal.message)
        case .busy, .rateLimited, .storeUnavailable, .storeFull, .shuttingDown:
            self.init(.unavailable, refusal.message, retryAfterSeconds: refusal.retryAfterSeconds)
        }
    }

    /// Adds `grpc-status` and what belongs to it.
    func add(to headers: inout HPACKHeaders) {
        headers.add(name: "grpc-status", value: "\(code.rawValue)")
        guard code != .ok else { return }
        headers.add(name: "grpc-message", value: Self.percentEncoded(message))
        if let retryAfterSeconds {
            var details = ByteWriter()
            OTLP.RPCStatus(.unavailable, message, retryDelaySeconds: retryAfterSeconds).appendProtobuf(to: &details)
            headers.add(name: "grpc-status-details-bin", value: Self.base64(details.bytes))
        }
    }

    /// gRPC over HTTP/2, `Percent-Encoded`: bytes 0x20…0x7e but `%` stand for themselves.
    static func percentEncoded(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
                encoded.append(byte)
            } else {
                let digits = Array("0123456789ABCDEF".utf8)
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Base64 without padding, as binary metadata is sent.
    static func base64(_ bytes: UnsafeRawBufferPointer) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word: UInt32 = 0
            for byte in group { word = word << 8 | UInt32(byte) }
            word <<= 8 * UInt32(3 - group.count)
            for index in 0...group.count { text.append(alphabet[Int(word >> (18 - 6 * UInt32(index)) & 63)]) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
