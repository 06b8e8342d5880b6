// SPDX-License-Identifier: Apache-2.0

extension Zipkin {
    /// The forms in which spans are sent.
    package enum Format: String, Sendable, CaseIterable {
        case jsonV1 = "JSON_V1"
        case jsonV2 = "JSON_V2"
        case proto3 = "PROTO3"
        case thrift = "THRIFT"

        /// The versions of the API, each with its path.
        package enum Version: Sendable {
            case v1, v2
        }

        /// The version whose path takes the format.
        package var version: Version {
            switch self {
            case .jsonV1, .thrift: .v1
            case .jsonV2, .proto3: .v2
            }
        }

        /// The format that the first bytes of `body`, sent to the path of `version`, show; JSON of the other version is found
        /// by its decoder. `nil` for no format of spans.
        ///
        /// A list of spans begins in Protocol Buffers with 0a and the length of the first, in Thrift with 0c and four bytes
        /// of its own length. Unless the content type says that the body `isBinary`, blanks before JSON are passed over, of
        /// which the line feed is 0a too.
        package init?(_ body: UnsafeRawBufferPointer, sentTo version: Version, isBinary: Bool) {
            if !isBinary, let first = body.first(where: { !Self.isBlank($0) }), Self.opensJSON(first) {
                self = version == .v1 ? .jsonV1 : .jsonV2
                return
            }
            guard let first = body.first else { return nil }
            if first <= 16 {
                self = first == 10 && body.count > 1 && body[1] != 0 ? .proto3 : .thrift
            } else if Self.opensJSON(first) {
                self = version == .v1 ? .jsonV1 : .jsonV2
            } else {
                return nil
            }
        }

        private static func opensJSON(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") }

        private static func isBlank(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
        }

        /// The error that spans of this format came to the path of the other version.
        package func misplaced(at offset: Int, place: WireError.Place? = nil) -> WireError {
            let expected: Self = version == .v1 ? .jsonV2 : .jsonV1
            let path = version == .v1 ? "/api/v1/spans" : "/api/v2/spans"
            return WireError(
                .unsupported,
                "Expected a \(expected.rawValue) encoded list, but received: \(rawValue), which is taken at \(path)",
                at: offset,
                place: place
            )
        }
    }
}
