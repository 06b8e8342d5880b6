// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// What one peer may ask of a gRPC listener.
package struct GRPCLimits: Sendable {
    /// Largest message in bytes, as sent.
    package var messageBytesMax = 64 << 20
    /// Largest header block of a call in bytes.
    package var headerBytesMax = 32 << 10
    /// Open connections.
    package var connectionsMax = 4096
    /// Calls under way on one connection.
    package var streamsMax = 256
    /// From a call's headers to the end of its message.
    package var requestTime = TimeAmount.seconds(60)
    /// From the connection to its HTTP/2 preface.
    package var prefaceTime = TimeAmount.seconds(10)
    /// For a message of an answer to leave: this long, and longer for one that is long, see ``messageBytesPerSecondMin``. The
    /// client may be slow to ask for it.
    package var writeTime = TimeAmount.seconds(60)
    /// Slowest client that a message is sent to.
    package var messageBytesPerSecondMin = 4096
    /// For calls under way when the listener goes down.
    package var drainTime = TimeAmount.seconds(8)

    package init() {}
}
