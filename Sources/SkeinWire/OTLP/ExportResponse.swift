// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

extension OTLP {
    /// What is exported.
    package enum Signal: Sendable {
        case spans, logs

        fileprivate var rejectedKey: StaticString {
            switch self {
            case .spans: "rejectedSpans"
            case .logs: "rejectedLogRecords"
            }
        }
    }

    /// The answer to a request that was accepted, at least in part.
    ///
    ///     ExportTraceServiceResponse { 1 partial_success { 1 rejected_spans (int64), 2 error_message } }
    ///     ExportLogsServiceResponse  { 1 partial_success { 1 rejected_log_records (int64), 2 error_message } }
    ///
    /// `partial_success` is set only when there is something to say: SDKs log it as an error whenever it is there.
    package struct ExportResponse: Hashable, Sendable {
        package var signal: Signal
        package var rejectedCount: Int
        package var errorMessage: String

        /// An answer; nothing rejected and no message means full success.
        package init(_ signal: Signal = .spans, rejectedCount: Int = 0, errorMessage: String = "") {
            self.signal = signal
            self.rejectedCount = rejectedCount
            self.errorMessage = errorMessage
        }

        /// The answer to what a decoder made of a request.
        package init(_ decoded: DecodedSpans) {
            let rejected = decoded.rejectedCount
            self.init(rejectedCount: rejected, errorMessage: rejected > 0 ? decoded.firstMessage : decoded.warning)
        }

        /// The answer to what a decoder made of a request.
        package init(_ decoded: DecodedLogs) {
            let rejected = decoded.rejectedCount
            self.init(
                .logs,
                rejectedCount: rejected,
                errorMessage: rejected > 0 ? decoded.firstMessage : decoded.warning
            )
        }

        /// Appends the protobuf form; nothing at full success.
        package func appendProtobuf(to out: inout ByteWriter) {
            if rejectedCount == 0 && errorMessage.isEmpty { return }
            out.appendMessage(1) { out in
                out.appendField(1, varint: UInt64(rejectedCount))
                out.appendField(2, text: errorMessage)
            }
        }

        /// Writes the JSON form; `{}` at full success.
        package func write(to json: inout JSONWriter) {
            json.object { json in
                if rejectedCount == 0 && errorMessage.isEmpty { return }
                json.object("partialSuccess") { json in
                    if rejectedCount != 0 { json.member(signal.rejectedKey, decimal: rejectedCount) }
                    if !errorMessage.isEmpty { json.member("errorMessage", errorMessage) }
                }
            }
        }
    }
}
