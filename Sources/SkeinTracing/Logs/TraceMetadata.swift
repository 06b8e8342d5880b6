// SPDX-License-Identifier: Apache-2.0
public import Logging
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Tracing

extension Logger.MetadataProvider {
    /// The ids of the span that a line is logged in, `trace_id`, `span_id` and `trace_flags` in lower-case hex (OpenTelemetry,
    /// "Trace Context in non-OTLP Log Formats"), and of the baggage the members that are named. Nothing outside of a span.
    ///
    ///     LoggingSystem.bootstrap(StreamLogHandler.standardOutput, metadataProvider: .skein())
    public static func skein(baggage keys: [String] = []) -> Logger.MetadataProvider {
        Logger.MetadataProvider {
            guard let context = ServiceContext.current else { return [:] }
            var metadata: Logger.Metadata = [:]
            if let span = context.spanContext, span.isValid {
                metadata.reserveCapacity(3 + keys.count)
                metadata["trace_id"] = .string(span.traceID.description)
                metadata["span_id"] = .string(span.spanID.description)
                metadata["trace_flags"] = .string(flags(span.flags.rawValue))
            }
            if !keys.isEmpty {
                let baggage = context.baggage
                for key in keys { if let value = baggage[key] { metadata[key] = .string(value) } }
            }
            return metadata
        }
    }

    /// Two digits.
    private static func flags(_ flags: UInt8) -> String {
        let digits = String(flags, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}
