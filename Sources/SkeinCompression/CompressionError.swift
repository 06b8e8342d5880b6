// SPDX-License-Identifier: Apache-2.0

/// Why bytes could not be unpacked.
package struct CompressionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What the caller can do about it.
    package enum Code: Hashable, Sendable {
        /// The bytes are not what they claim to be, or end too soon.
        case corrupt
        /// Unpacked, they are larger than the caller allows.
        case tooLarge(limit: Int)
    }

    /// What the caller can do about it.
    package var code: Code
    /// Names the format and the defect.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func tooLarge(_ limit: Int, _ format: String) -> CompressionError {
        CompressionError(.tooLarge(limit: limit), "the \(format) data unpacks to more than the limit of \(limit) bytes")
    }

    package var description: String { message }
}
