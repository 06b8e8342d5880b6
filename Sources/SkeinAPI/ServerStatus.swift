// SPDX-License-Identifier: Apache-2.0

/// What only the server around the API knows of itself; asked for at each request.
package struct ServerStatus: Sendable {
    package var version: String
    /// Nanoseconds since 1970-01-01 UTC.
    package var startedUnixNanos: UInt64
    /// Spans accepted since the start.
    package var receivedSpanCount: UInt64 = 0
    package var listeners: [Listener] = []
    /// Whole path of the data folder on the server's machine.
    package var dataDirectory = ""
    /// `nil` when traces are kept whatever their age.
    package var retentionAgeSeconds: UInt64?
    /// `nil` when traces are kept whatever their size.
    package var retentionBytes: UInt64?
    /// In the order in which they decide.
    package var retentionRules: [RetentionRule] = []
    /// What an operator should know beside what the store says, in whole sentences.
    package var problems: [String] = []

    /// How long traces that satisfy a condition are kept.
    package struct RetentionRule: Sendable {
        /// `nil` for ever.
        package var ageSeconds: UInt64?
        /// As written.
        package var condition: String

        package init(ageSeconds: UInt64?, condition: String) {
            self.ageSeconds = ageSeconds
            self.condition = condition
        }
    }

    /// A door that is open.
    package struct Listener: Sendable {
        /// As in the configuration, such as `otlp-http`.
        package var name: String
        /// `host:port`, the port as bound.
        package var address: String

        package init(name: String, address: String) {
            self.name = name
            self.address = address
        }
    }

    package init(version: String, startedUnixNanos: UInt64) {
        self.version = version
        self.startedUnixNanos = startedUnixNanos
    }
}
