// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// What collectors say of an export. Whatever bytes they answer with, none stops an export.
enum OTLPAnswer {
    /// Bytes of an answer that a log line shows.
    static let shownBytesMax = 200

    /// What was rejected of an export that was accepted; `nil` for what cannot be read.
    static func partialSuccess(_ body: [UInt8], isJSON: Bool) -> OTLP.ExportResponse? {
        body.withUnsafeBytes { bytes in
            isJSON ? try? OTLP.ExportResponse(json: bytes) : try? OTLP.ExportResponse(protobuf: bytes)
        }
    }

    /// The message of an export that was not accepted, from protobuf; `nil` for what cannot be read.
    static func statusMessage(_ body: [UInt8]) -> String? {
        body.withUnsafeBytes { try? OTLP.RPCStatus.message(protobuf: $0) }.map(shown)
    }

    /// Text of a stranger for a line of a log: short, and without control characters.
    static func shown(_ text: String) -> String {
        let short = text.utf8.count > shownBytesMax ? text.prefix(shownBytesMax) + "…" : text[...]
        return String(
            String.UnicodeScalarView(short.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 })
        )
    }
}
