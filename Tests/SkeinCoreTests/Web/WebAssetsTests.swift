// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinWeb
import Testing

/// The page in the binary, and the same from a folder.
struct WebAssetsTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../web").standardizedFileURL

    /// Every file of `web/` that belongs into the binary, as the path below `web/`.
    static let names: [String] = {
        let all = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return all.filter { name in
            let isFile = !folder.appending(path: name).hasDirectoryPath && name.contains(".")
            return isFile && !name.hasPrefix("tests/") && !name.hasPrefix(".") && name != "package.json"
        }.sorted()
    }()

    @Test(arguments: names)
    func `each file of web is in the binary, byte for byte`(name: String) throws {
        let found = WebAssets.embedded.asset(at: "/assets/\(name)")
        let asset = try #require(found, "run scripts/web-files.py")
        #expect(try Data(asset.bytes) == Data(contentsOf: Self.folder.appending(path: name)))
        #expect(asset.count == asset.bytes.count)
    }

    @Test(arguments: names)
    func `a folder answers what the binary answers`(name: String) throws {
        let served = WebAssets.directory(Self.folder.path).asset(at: "/assets/\(name)")
        let embedded = WebAssets.embedded.asset(at: "/assets/\(name)")
        #expect(served?.entityTag == embedded?.entityTag)
        #expect(served?.contentType == embedded?.contentType)
    }

    @Test(
        arguments: [
            ("/", "\"assets/app.js\""), ("/explore", "\"assets/app.js\""), ("/explore/", "\"../assets/app.js\""),
            ("/trace/4bf92f3577b34da6a3ce929d0e0e4736", "\"../assets/app.js\""),
            ("/trace/1/", "\"../../assets/app.js\""), ("/services", "\"assets/app.js\""),
            ("/service/shop%2Feu", "\"../assets/app.js\""), ("/compare", "\"assets/app.js\""),
            ("/compare/1/typical", "\"../../assets/app.js\""), ("/compare/1/2/", "\"../../../assets/app.js\""),
            ("/agents", "\"assets/app.js\""), ("/agents/session/a%2Fb", "\"../../assets/app.js\""),
            ("/agents/compare/a/b", "\"../../../assets/app.js\""),
        ]
    )
    func `each page address answers index with links that find the assets`(path: String, link: String) throws {
        for assets in [WebAssets.embedded, .directory(Self.folder.path)] {
            let page = try #require(assets.asset(at: path))
            #expect(page.contentType == "text/html; charset=utf-8")
            #expect(String(decoding: page.bytes, as: UTF8.self).contains(link))
        }
    }

    @Test(
        arguments: [
            "", "assets/app.js", "/nothing", "/assets", "/assets/", "/assets/nothing.js", "/assets/../Package.swift",
            "/assets/lib/../../Package.swift", "/assets/..%2fPackage.swift", "/assets//etc/passwd", "/assets/.hidden",
            "/assets/lib", "/assets/app.js/", "/assets/app.js\u{0}", "/assets/lib\\dom.js", "/trace", "/trace/a/b",
            "/explore/deeper", "/service", "/map/a", "/compare/a/b/c", "/agents/nothing", "/agents/compare/a/b/c",
            "/api/traces",
        ]
    )
    func `nothing else is found, and no path leads out of the folder`(path: String) {
        #expect(WebAssets.embedded.asset(at: path) == nil)
        #expect(WebAssets.directory(Self.folder.path).asset(at: path) == nil)
    }

    @Test func `types are those that a browser with nosniff accepts`() throws {
        func type(_ name: String) -> String? { WebAssets.embedded.asset(at: "/assets/\(name)")?.contentType }
        #expect(type("app.js") == "text/javascript; charset=utf-8")
        #expect(type("favicon.svg") == "image/svg+xml")
        #expect(type("base.css") == "text/css; charset=utf-8")
    }

    @Test func `two files have two entity tags, quoted`() throws {
        let tags = Self.names.compactMap { WebAssets.embedded.asset(at: "/assets/\($0)")?.entityTag }
        #expect(Set(tags).count == tags.count)
        #expect(tags.allSatisfy { $0.hasPrefix("\"") && $0.hasSuffix("\"") && $0.count > 8 })
    }
}
