// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// How the SDK names itself.
enum SDKVersion {
    /// `User-Agent` of its requests (OTLP 1.9, "User Agent").
    static let userAgent = "Skein-OTLP-Exporter-Swift/\(Version.current)"
}
