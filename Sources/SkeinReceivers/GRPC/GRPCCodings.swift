// SPDX-License-Identifier: Apache-2.0
import SkeinCompression

/// The message codings that calls may use.
enum GRPCCodings {
    /// For `grpc-accept-encoding`.
    static let list = ContentCoding.allCases.map(\.rawValue).joined(separator: ",")

    /// Whether messages of this `grpc-encoding` can be read.
    static func isKnown(_ name: String) -> Bool { ContentCoding(rawValue: name) != nil }
}
