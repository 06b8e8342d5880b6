// SPDX-License-Identifier: Apache-2.0

/// What a server says of itself, as far as commands show it.
struct ServerStatusAnswer: Decodable {
    static let path = "/api/skein/v1/status"

    var version: String
    var spans: Int
    var oldestTimeUnixNano: String?
    var newestTimeUnixNano: String?
    var receivedSpans: Int
    /// The whole path on the server's machine; an older server does not say.
    var dataDirectory: String?
    var listeners: [Listener]
    var retention: Retention
    var health: String
    var problems: [String]

    struct Listener: Decodable {
        var name: String
        var address: String
    }

    struct Retention: Decodable {
        /// `nil` for ever.
        var ageSeconds: UInt64?
        /// `nil` for no bound.
        var bytes: UInt64?
        var rules: [Rule]?

        struct Rule: Decodable {
            /// `nil` for ever.
            var ageSeconds: UInt64?
            var q: String
        }
    }
}
