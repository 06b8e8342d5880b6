// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

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
    /// What the body is counted against; for whoever has the response to keep until it is sent. The pieces of a stream are
    /// counted against the same budget, each while it is sent.
    package var memory: HeldMemory?

    /// What is sent behind the headers.
    package enum Body: Sendable {
        case empty
        case bytes([UInt8])
        /// As a writer left it, which spares a copy of a long text.
        case written(WrittenText)
        /// One behind the other.
        case pieces([[UInt8]])
        /// Made while it is sent, of no known length.
        case stream(APIStream)
    }

    /// A text that is not written to any more.
    package final class WrittenText: Sendable {
        fileprivate let text: ByteWriter

        init(_ text: consuming ByteWriter) { self.text = text }
    }

    package init(status: Int, headers: [(name: String, value: String)] = [], body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body's bytes, put together anew where they are not in one piece; none of a stream's.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        forEachPiece { bytes += $0 }
        return bytes
    }

    /// How long the body is, as far as it is there.
    package var byteCount: Int {
        switch body {
        case .empty, .stream: 0
        case .bytes(let bytes): bytes.count
        case .written(let written): written.text.count
        case .pieces(let pieces): pieces.reduce(0) { $0 + $1.count }
        }
    }

    /// Lends the body's bytes, a piece at a time; none of a stream's.
    package func forEachPiece(_ take: (UnsafeRawBufferPointer) -> Void) {
        switch body {
        case .empty, .stream: break
        case .bytes(let bytes): bytes.withUnsafeBytes(take)
        case .written(let written): take(written.text.bytes)
        case .pieces(let pieces): for piece in pieces { piece.withUnsafeBytes(take) }
        }
    }

    /// The value of the first header of that name, spelt as this module spells it.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
