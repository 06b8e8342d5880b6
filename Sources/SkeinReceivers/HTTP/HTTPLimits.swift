// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// What one peer may ask of an HTTP listener.
package struct HTTPLimits: Sendable {
    /// Largest body in bytes, as sent.
    package var bodyBytesMax = 64 << 20
    /// Largest request line and headers in bytes: the longest query, each byte of it escaped, and 16 KiB beside.
    package var headBytesMax = 64 << 10
    /// Open connections.
    package var connectionsMax = 4096
    /// From the first byte of a request to the end of its headers.
    package var headTime = TimeAmount.seconds(10)
    /// For a body: this long, and then as long as it keeps up ``bodyBytesPerSecondMin``.
    package var bodyTime = TimeAmount.seconds(10)
    /// Slowest body that is waited for, and slowest client that is written to.
    package var bodyBytesPerSecondMin = 4096
    /// For a body, however steadily it comes: until then it holds memory that others may need.
    package var bodyTimeMax = TimeAmount.seconds(60)
    /// For an answer, or a piece of one, to leave: this long, and longer for one that is long, at
    /// ``bodyBytesPerSecondMin``.
    package var writeTime = TimeAmount.seconds(60)
    /// Between two requests of a connection.
    package var idleTime = TimeAmount.seconds(60)
    /// For work in hand when the listener goes down.
    package var drainTime = TimeAmount.seconds(8)

    package init() {}
}
