// SPDX-License-Identifier: Apache-2.0

/// Where a message came along, and so where its id, and those that it names, are unique.
package struct MessageWay: Hashable, Sendable {
    package enum Scope: Hashable, Sendable {
        /// The one pair of pipes.
        case connection
        /// A session of HTTP, by its name.
        case session(String)
        /// One request of HTTP with its answer: without sessions the ids of different clients are the same.
        case exchange(UInt64)
    }

    package var scope: Scope
    /// The number of the request of HTTP; 0 on pipes.
    package var exchange: UInt64
    /// A hash of what tells clients apart where there are no sessions, their credentials; 0 for nobody in particular.
    package var client: UInt64

    package init(_ scope: Scope, exchange: UInt64 = 0, client: UInt64 = 0) {
        self.scope = scope
        self.exchange = exchange
        self.client = client
    }
}
