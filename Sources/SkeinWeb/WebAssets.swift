// SPDX-License-Identifier: Apache-2.0
internal import CSkeinWeb

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// The page: everything in `web/`, out of the binary or, while somebody edits it, out of a folder.
///
/// A request path names an asset below `/assets/`, or one of the page's own addresses, which all answer `index.html`.
/// `index.html` spells its links relative to `/`; since a proxy may mount the server below any prefix and the content
/// security policy forbids `<base>`, a page at `/trace/{id}` gets the same file with `../assets/` in its links.
package struct WebAssets: Sendable {
    private enum Source {
        case embedded(files: [String: WebAsset], pages: [WebAsset])
        case directory(String)
    }

    private let source: Source

    /// The files in the binary. Entity tags are computed once, at first use.
    package static let embedded = WebAssets()

    /// The files below `path`, read anew for each request: edit, reload, see.
    package static func directory(_ path: String) -> WebAssets { WebAssets(source: .directory(path)) }

    /// What to answer for a request path such as `/`, `/trace/4bf9…` or `/assets/trace/model.js`; `nil` when no such
    /// file or page exists. `path` is percent-decoded or not: no name of ours needs it. No path leads out of the folder.
    package func asset(at path: String) -> WebAsset? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard let first = parts.first else { return nil }
        if first == "assets" { return file(named: parts.dropFirst()) }
        guard Self.isPage(parts) else { return nil }
        return page(depth: parts.count - 1)
    }

    /// The addresses that the page's own router knows, with or without a slash at the end.
    private static func isPage(_ parts: ArraySlice<Substring>) -> Bool {
        let names = parts.last == "" ? parts.dropLast() : parts
        switch names.first {
        case nil: return true
        case "explore", "services", "map", "live", "index.html": return names.count == 1
        case "agents":
            switch names.dropFirst().first {
            case nil: return true
            case "session": return names.count == 3
            case "compare": return (2...4).contains(names.count)
            default: return false
            }
        case "trace", "service": return names.count == 2
        case "compare": return (1...3).contains(names.count)
        default: return false
        }
    }

    private init(source: Source) { self.source = source }

    private init() {
        var files: [String: WebAsset] = [:]
        var count = 0
        guard let first = skein_web_files(&count) else { preconditionFailure("the binary holds no page") }
        for file in UnsafeBufferPointer(start: first, count: count) {
            let name = String(cString: file.path)
            let bytes = UnsafeRawBufferPointer(start: file.bytes, count: file.count)
            files[name] = WebAsset(name: name, resident: ResidentBytes(buffer: bytes))
        }
        guard let index = files["index.html"] else { preconditionFailure("the binary holds no index.html") }
        let pages = (0...Self.depthMax).map { index.page(depth: $0) }
        source = .embedded(files: files, pages: pages)
    }

    /// `/compare/{a}/{b}/`: no page of ours lies deeper.
    private static let depthMax = 3

    private func page(depth: Int) -> WebAsset? {
        switch source {
        case .embedded(_, let pages): pages.indices.contains(depth) ? pages[depth] : nil
        case .directory: file(named: ["index.html"])?.page(depth: depth)
        }
    }

    private func file(named parts: ArraySlice<Substring>) -> WebAsset? {
        guard !parts.isEmpty, parts.allSatisfy(Self.isPlainName) else { return nil }
        let name = parts.joined(separator: "/")
        switch source {
        case .embedded(let files, _): return files[name]
        case .directory(let root):
            guard let bytes = Self.read("\(root)/\(name)") else { return nil }
            return WebAsset(name: name, owned: bytes)
        }
    }

    /// Letters, digits, `-`, `_`, and dots that do not lead: neither `..` nor a hidden file nor anything encoded.
    private static func isPlainName(_ part: Substring) -> Bool {
        guard let first = part.utf8.first, first != UInt8(ascii: ".") else { return false }
        return part.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    private static let fileBytesMax = 16 << 20

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= fileBytesMax
        else { return nil }
        let size = Int(status.st_size)
        var isWhole = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            while filled < size {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let got = readSome(descriptor, rest)
                guard got > 0 else { return }
                filled += got
            }
            isWhole = true
        }
        return isWhole ? bytes : nil
    }

    private static func readSome(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
            Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #else
            Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}

extension WebAsset {
    /// `index.html` as seen from a page `depth` folders below the root: `"assets/` becomes `"../assets/`.
    fileprivate func page(depth: Int) -> WebAsset {
        guard depth > 0 else { return self }
        let link = Array("\"assets/".utf8)
        let replacement =
            [UInt8(ascii: "\"")] + Array(repeating: Array("../".utf8), count: depth).joined() + link.dropFirst()
        return withUnsafeBytes { bytes in
            var out: [UInt8] = []
            out.reserveCapacity(bytes.count + 64 * depth)
            var at = 0
            while at < bytes.count {
                if bytes.count - at >= link.count, bytes[at..<(at + link.count)].elementsEqual(link) {
                    out += replacement
                    at += link.count
                } else {
                    out.append(bytes[at])
                    at += 1
                }
            }
            return WebAsset(name: "index.html", owned: out)
        }
    }
}
