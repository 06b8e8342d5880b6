// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

extension APIResponse {
    /// An answer whose body is the JSON that `body` writes.
    static func json<E: Error>(
        status: Int = 200,
        contentType: String = "application/json",
        capacity: Int = 1024,
        _ body: (inout JSONWriter) throws(E) -> Void
    ) throws(E) -> APIResponse {
        var json = JSONWriter(capacity: capacity)
        try body(&json)
        return .json(json.finish(), status: status, contentType: contentType)
    }

    /// An answer whose body is JSON that is written already.
    static func json(
        _ text: consuming ByteWriter,
        status: Int = 200,
        contentType: String = "application/json"
    ) -> APIResponse {
        APIResponse(
            status: status,
            headers: [("Content-Type", contentType)],
            body: .written(WrittenText(text))
        )
    }

    /// An answer whose body is JSON that is there as bytes.
    static func json(bytes: [UInt8]) -> APIResponse {
        APIResponse(status: 200, headers: [("Content-Type", "application/json")], body: .bytes(bytes))
    }
}

extension JSONWriter {
    /// A string that the program knows.
    mutating func string(word: StaticString) {
        string(utf8: UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    /// A member that may be unknown: `null` then.
    mutating func member(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    /// A member that is a whole number in decimal digits, as a string, or `null`.
    mutating func member(_ name: StaticString, decimal value: UInt64?) {
        key(name)
        if let value { decimal(value) } else { null() }
    }

    /// A member that is a number, or `null`.
    mutating func member(_ name: StaticString, _ value: UInt64?) {
        key(name)
        if let value { int(value) } else { null() }
    }
}
