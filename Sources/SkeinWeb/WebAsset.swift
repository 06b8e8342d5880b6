// SPDX-License-Identifier: Apache-2.0

/// One file of the page, ready to be sent.
package struct WebAsset: Sendable {
    /// The `Content-Type` header, with charset where the type is text.
    package let contentType: String
    /// A strong entity tag with its quotes: equal tags mean equal bytes.
    package let entityTag: String
    private let storage: Storage

    private enum Storage {
        case resident(ResidentBytes)
        case owned([UInt8])
    }

    package var count: Int {
        switch storage {
        case .resident(let resident): resident.buffer.count
        case .owned(let bytes): bytes.count
        }
    }

    /// Lends the bytes without copying. The pointer is good inside `body` only.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch storage {
        case .resident(let resident): try body(resident.buffer)
        case .owned(let bytes): try bytes.withUnsafeBytes(body)
        }
    }

    /// A copy of the bytes, for whoever keeps them.
    package var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    init(name: String, resident: ResidentBytes) {
        contentType = Self.contentType(of: name)
        entityTag = Self.entityTag(of: resident.buffer)
        storage = .resident(resident)
    }

    init(name: String, owned bytes: [UInt8]) {
        contentType = Self.contentType(of: name)
        entityTag = bytes.withUnsafeBytes(Self.entityTag)
        storage = .owned(bytes)
    }

    private static func contentType(of name: String) -> String {
        guard let dot = name.lastIndex(of: ".") else { return "application/octet-stream" }
        return switch name[name.index(after: dot)...] {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "json": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "txt": "text/plain; charset=utf-8"
        default: "application/octet-stream"
        }
    }

    /// FNV-1a over 64 bits, and the length: enough to tell versions of one file apart.
    private static func entityTag(of bytes: UnsafeRawBufferPointer) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return "\"\(String(hash, radix: 36))-\(String(bytes.count, radix: 36))\""
    }
}

/// Bytes in the read-only data of this process: never written, never freed, hence free to cross threads.
struct ResidentBytes: @unchecked Sendable {
    let buffer: UnsafeRawBufferPointer
}
