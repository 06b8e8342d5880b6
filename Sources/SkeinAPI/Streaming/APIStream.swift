// SPDX-License-Identifier: Apache-2.0

/// A body that is made while it is sent, such as newline-delimited JSON or Server-Sent Events.
///
/// A piece is a whole number of the format's own units (lines, events), so that a client can use it when it comes; each is
/// sent at once and by itself. The next one is asked for when the one before is on its way. Nothing is made for a `HEAD`.
package struct APIStream: Sendable {
    /// What a stream counts as.
    package enum Kind: Sendable {
        /// Part of a query, which runs until its stream ends and has the time of one.
        case query
        /// What goes on for as long as somebody listens and the server runs.
        case tail
    }

    /// Sends a piece, and returns when it is on its way. Throws `CancellationError` when nobody listens any more.
    package typealias Write = @Sendable ([UInt8]) async throws -> Void
    /// Makes the pieces. Its task is cancelled when nobody listens any more, or the time of its query is over; its memory is
    /// its own to count. The body is whole when it returns, and breaks off when it throws: what went wrong that it can
    /// tell, in its format, it tells in a piece and returns; what else it throws than of being cancelled is logged.
    package typealias Producer = @Sendable (_ write: Write) async throws -> Void

    package let kind: Kind
    /// The last piece of a body that the server has to break off, from the code and the words of an error.
    package let lastPiece: (@Sendable (_ code: String, _ detail: String) -> [UInt8])?
    private let produce: Producer

    /// A body that `produce` makes.
    package init(
        _ kind: Kind,
        lastPiece: (@Sendable (_ code: String, _ detail: String) -> [UInt8])? = nil,
        _ produce: @escaping Producer
    ) {
        self.kind = kind
        self.lastPiece = lastPiece
        self.produce = produce
    }

    /// A body of the elements of a sequence. One that is made ahead of its reader needs a bound of its own.
    package init<Pieces: AsyncSequence & Sendable>(
        _ kind: Kind,
        lastPiece: (@Sendable (_ code: String, _ detail: String) -> [UInt8])? = nil,
        _ pieces: Pieces
    ) where Pieces.Element == [UInt8] {
        self.init(kind, lastPiece: lastPiece) { write in
            for try await piece in pieces { try await write(piece) }
        }
    }

    /// Makes the body; may be called once.
    package func run(_ write: Write) async throws { try await produce(write) }
}
