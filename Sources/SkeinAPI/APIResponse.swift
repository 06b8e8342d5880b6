// SPDX-License-Identifier: Apache-2.0

/// An answer, for any HTTP server to send.
package struct APIResponse: Sendable {
    package var status: Int
    /// Says `Content-Type` whenever there is a body. `Content-Length` is the sender's business, but for `HEAD`, where it
    /// is given because the body is not.
    package var headers: [(name: String, value: String)]
    package var body: Body
    /// The path that answered, with `{…}` for its variable parts: a label for metrics with few distinct values.
    package var route = ""
    /// For the server's own log when the fault is on this side; never sent.
    package var logMessage: String?

    /// What is sent behind the headers.
    package enum Body: Sendable {
        case empty
        case bytes([UInt8])
    }

    package init(status: Int, headers: [(name: String, value: String)] = [], body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body's bytes, however it holds them.
    package var bytes: [UInt8] {
        switch body {
        case .empty: []
        case .bytes(let bytes): bytes
        }
    }

    /// The value of the first header of that name, spelt as this module spells it.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
