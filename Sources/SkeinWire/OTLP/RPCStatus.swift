// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

extension OTLP {
    /// `google.rpc.Status`, the body of every OTLP error (OTLP 1.9 "OTLP/HTTP Response", "Failures").
    ///
    ///     Status { 1 code (int32), 2 message, 3 details* { 1 type_url, 2 value } }
    ///     RetryInfo { 1 retry_delay { 1 seconds (int64), 2 nanos } }
    package struct RPCStatus: Hashable, Sendable {
        /// The gRPC codes that a trace receiver answers with.
        package enum Code: Int32, Hashable, Sendable {
            case unknown = 2
            case invalidArgument = 3
            case notFound = 5
            case permissionDenied = 7
            case resourceExhausted = 8
            case unimplemented = 12
            case `internal` = 13
            case unavailable = 14
            case unauthenticated = 16
        }

        package var code: Code
        package var message: String
        /// How long the client should wait; without it `resourceExhausted` is not retried.
        package var retryDelaySeconds: Int?

        /// A status with this code and message.
        package init(_ code: Code, _ message: String, retryDelaySeconds: Int? = nil) {
            self.code = code
            self.message = message
            self.retryDelaySeconds = retryDelaySeconds
        }

        static let retryInfo = "type.googleapis.com/google.rpc.RetryInfo"

        /// Appends the protobuf form.
        package func appendProtobuf(to out: inout ByteWriter) {
            out.appendField(1, varint: UInt64(bitPattern: Int64(code.rawValue)))
            out.appendField(2, text: message)
            guard let retryDelaySeconds else { return }
            out.appendMessage(3) { out in
                out.appendField(1, text: Self.retryInfo)
                out.appendMessage(2) { out in
                    out.appendMessage(1) { $0.appendField(1, varint: UInt64(max(0, retryDelaySeconds))) }
                }
            }
        }

        /// Writes the JSON form.
        package func write(to json: inout JSONWriter) {
            json.object { json in
                json.member("code", code.rawValue)
                json.member("message", message)
                guard let retryDelaySeconds else { return }
                json.array("details") { json in
                    json.object { json in
                        json.member("@type", Self.retryInfo)
                        json.member("retryDelay", "\(max(0, retryDelaySeconds))s")
                    }
                }
            }
        }
    }
}
