// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import Testing

/// What a client asks for on its way through its pages, request by request, with what it gets.
///
/// The answers are kept in `Tests/Golden`; `SKEIN_GOLDEN=write` writes them anew.
struct ClientWalk {
    /// Path below `Tests/Golden`.
    var file: String
    /// The API at whose own root the client asks; `nil` where all are served.
    var family: APIFamily?
    /// Targets, each behind a method and a blank unless that is `GET`.
    var requests: [String]

    /// An order that fails, and a trace that Zipkin's clients sent: two sides of one id, and a span whose parent is missing.
    static let spans: [SkeinModel.Span] = {
        let other = TraceID(high: 0, low: 0x2a)
        var call = Shop.span(11, trace: other, service: "Front", name: "POST /Login", kind: .client, at: 9_000_000_000)
        call.attributes = [Attribute("peer.service", "Back/End"), Attribute("ratio", 0.5)]
        var serve = Shop.span(11, trace: other, service: "Back/End", name: "post", at: 9_000_100_000, lasting: 500_000)
        serve.attributes = [
            Attribute("big", .int(1 << 60)), Attribute("cached", true), Attribute("raw", .bytes([0, 255])),
        ]
        serve.links = [.init(traceID: Shop.traceID, spanID: SpanID(1))]
        var send = Shop.span(
            12,
            parent: 0x77,
            trace: other,
            service: "Back/End",
            name: "send",
            kind: .producer,
            at: 9_000_200_000
        )
        send.attributes = [Attribute("messaging.destination.name", "mails")]
        send.scope = InstrumentationScope(name: "lib", version: "2")
        send.traceState = "vendor=1"
        return Shop.order + [call, serve, send]
    }()

    /// Expects that a store answers the walk as the file says.
    func check(_ store: StoreUnderTest) async throws {
        let api = try await store.api(Self.spans).api
        var text = ""
        for request in requests {
            let parts = request.split(separator: " ", maxSplits: 1).map(String.init)
            let asked = APIRequest(method: parts.count > 1 ? parts[0] : "GET", target: parts[parts.count - 1])
            let response: APIResponse
            if let family {
                response = await api.respond(to: asked, family: family)
            } else {
                response = try #require(await api.respond(to: asked), "\(request)")
            }
            text += "> \(request)\n\(response.status) \(String(decoding: response.bytes, as: UTF8.self))\n"
        }
        let golden = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Golden/\(file)").standardizedFileURL
        if store == .memory, ProcessInfo.processInfo.environment["SKEIN_GOLDEN"] == "write" {
            let folder = golden.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try text.write(to: golden, atomically: true, encoding: .utf8)
        }
        let kept = try String(contentsOf: golden, encoding: .utf8).split(separator: "\n")
        let lines = text.split(separator: "\n")
        #expect(kept.count == lines.count, "\(file)")
        for (kept, line) in zip(kept, lines) { #expect(line == kept, "\(file) over \(store)") }
    }
}
