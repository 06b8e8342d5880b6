// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// Why bytes from outside could not be read as what they claim to be. Nothing of them was accepted.
package struct WireError: Error, Hashable, CustomStringConvertible {
    /// What the caller can do about it: answer "bad data" to all of them, and count them apart.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        /// The bytes break the rules of the format.
        case malformed
        /// The bytes nest deeper than a reader follows.
        case tooDeep = "too_deep"
        /// What the bytes hold is more than a request may become.
        case tooLarge = "too_large"
        /// The bytes are well-formed and of a kind that we do not take, such as another Thrift method.
        case unsupported
    }

    /// The kind of defect.
    package var code: Code
    /// What was found and what was expected; ends without a full stop.
    package var message: String
    /// Where, counted in bytes from the first byte of the input.
    package var offset: Int
    /// The line and column of `offset`, both from one, where the input is text.
    package var place: Place?

    /// A position in text; the column counts bytes.
    package struct Place: Hashable, Sendable {
        package var line: Int
        package var column: Int
    }

    @usableFromInline
    package init(_ code: Code, _ message: String, at offset: Int, place: Place? = nil) {
        self.code = code
        self.message = message
        self.offset = offset
        self.place = place
    }

    /// `error` of a reader whose first byte is at `origin`.
    @usableFromInline @inline(never)
    init(_ error: ByteError, origin: Int) {
        let message =
            switch error.code {
            case .truncated: "the bytes end inside a value"
            case .varintOverflow: "a varint is longer than 64 bits"
            case .invalid: "a value cannot be"
            }
        self.init(.malformed, message, at: origin &+ error.offset)
    }

    package var description: String {
        if let place { return "\(message), at line \(place.line), column \(place.column)" }
        return "\(message), at offset \(offset)"
    }
}
