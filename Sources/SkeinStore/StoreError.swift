// SPDX-License-Identifier: Apache-2.0

/// Why a store could not do what it was asked.
public struct StoreError: Error, CustomStringConvertible {
    /// What the caller can do about it.
    public enum Code: String, Hashable, Sendable {
        /// Try again later; nothing was kept of an append.
        case unavailable
        /// The disk or a quota is full: as `unavailable`, but space must be made first.
        case full
        /// The task was cancelled.
        case cancelled
        /// The query asks for more than a limit allows.
        case limit
        /// Stored bytes do not check.
        case corrupt
        /// The data folder cannot be opened as it is: in use, read-only, or of a newer version.
        case unusable
        /// The operating system failed in another way.
        case io
    }

    /// What the caller can do about it.
    public var code: Code
    /// Names the value, the limit and the remedy.
    public var message: String
    /// The file, when the data is to blame.
    public var place: String?
    /// Bytes from the start of that file to what is wrong.
    public var offset: Int?

    /// An error.
    public init(_ code: Code, _ message: String, place: String? = nil, offset: Int? = nil) {
        self.code = code
        self.message = message
        self.place = place
        self.offset = offset
    }

    public var description: String {
        guard let place else { return message }
        if let offset { return "\(message) (\(place) at byte \(offset))" }
        return message.contains(place) ? message : "\(message) (\(place))"
    }
}
