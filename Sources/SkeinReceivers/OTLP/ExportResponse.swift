// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import SkeinBase
import SkeinPipeline
import SkeinWire

extension TraceExport.Encoding {
    /// The content type of request and answer.
    var headers: HTTPHeaders {
        switch self {
        case .protobuf: HTTPHeaders([("content-type", "application/x-protobuf")])
        case .json: HTTPHeaders([("content-type", "application/json")])
        }
    }

    /// The answer to a request that was accepted, at least in part.
    func body(_ response: OTLP.ExportResponse) -> ByteBuffer {
        switch self {
        case .protobuf:
            var out = ByteWriter()
            response.appendProtobuf(to: &out)
            return ByteBuffer(bytes: out.bytes)
        case .json:
            var json = JSONWriter(capacity: 128)
            response.write(to: &json)
            return ByteBuffer(bytes: json.bytes)
        }
    }

    /// The answer to a request that was refused.
    func body(_ status: OTLP.RPCStatus) -> ByteBuffer {
        switch self {
        case .protobuf:
            var out = ByteWriter()
            status.appendProtobuf(to: &out)
            return ByteBuffer(bytes: out.bytes)
        case .json:
            var json = JSONWriter(capacity: 256)
            status.write(to: &json)
            return ByteBuffer(bytes: json.bytes)
        }
    }
}

extension OTLP.RPCStatus {
    /// What is said of a refusal (OTLP 1.9 §Failures): only what may succeed later carries a delay.
    init(_ refusal: Refusal) {
        let code: Code =
            switch refusal.reason {
            case .malformed, .incomplete: .invalidArgument
            case .tooLarge: .resourceExhausted
            case .forbidden: .permissionDenied
            case .unsupported: .unimplemented
            case .busy, .rateLimited, .storeUnavailable, .storeFull, .shuttingDown: .unavailable
            }
        let delay = refusal.reason.isRetryable ? refusal.retryAfterSeconds : nil
        self.init(code, refusal.message, retryDelaySeconds: delay)
    }
}
