// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SkeinBase
import SkeinMCP

/// Looks at the body of an answer while it is passed on: one text of JSON, or events.
struct AnswerReader {
    private enum Form {
        case json(MessageText)
        case events(EventStreamReader)
        /// Compressed, or anything else.
        case opaque
    }

    private var form: Form
    private let exchange: Exchange
    private let announcedByteCount: Int?
    private var hasNoted = false
    private var hasEventIDs = false
    /// Whether the body came compressed although nobody asked for that.
    let isCompressed: Bool
    /// Of the body so far.
    private(set) var byteCount = 0
    /// What an event of the older "HTTP with SSE" told the client to post to: a way of its own then carries this stream's messages.
    private(set) var endpoint: String?

    /// What is kept of the answer is counted against `budget`; beyond it answers are looked at while they pass.
    init(_ response: HTTPClientResponse, _ exchange: Exchange, _ budget: ByteBudget) {
        self.exchange = exchange
        announcedByteCount = response.headers.first(name: "content-length").flatMap { Int($0) }
        let type = response.headers.first(name: "content-type")?.prefix { $0 != ";" }.lowercased()
            .trimmingPrefix { $0 == " " }
        let coding = response.headers[canonicalForm: "content-encoding"].filter { $0.lowercased() != "identity" }
        isCompressed = !coding.isEmpty
        form =
            switch type {
            case _ where !coding.isEmpty: .opaque
            case "text/event-stream":
                .events(EventStreamReader(dataBytesMax: ProxyService.messageBytesMax, budget: budget))
            case .some(let type) where type.hasSuffix("json"):
                .json(MessageText(bytesMax: ProxyService.messageBytesMax, budget: budget))
            default: .opaque
            }
    }

    /// Takes a piece in before it is passed on, and gives back where the client is told to post to.
    mutating func take(_ piece: ByteBuffer) -> String? {
        byteCount += piece.readableBytes
        switch form {
        case .json(var text):
            form = .opaque
            piece.withUnsafeReadableBytes { text.add($0) }
            form = .json(text)
            // Who gets the last byte may ask for more at once.
            if byteCount == announcedByteCount { finish() }
        case .events(var reader):
            form = .opaque
            let events = piece.withUnsafeReadableBytes { reader.add($0) }
            form = .events(reader)
            return events.compactMap { take($0) }.last
        case .opaque: break
        }
        return nil
    }

    private mutating func take(_ event: EventStreamReader.Event) -> String? {
        if event.hasID { hasEventIDs = true }
        if event.name == "endpoint", endpoint == nil, event.data.byteCount <= 1_024 {
            endpoint = Self.target(String(decoding: event.data.bytes, as: UTF8.self))
            return endpoint
        }
        guard let scan = event.data.scan() else { return nil }
        if let endpoint { exchange.note(scan, of: endpoint) } else { exchange.note(scan) }
        return nil
    }

    /// The path and query of an address, which may be relative to the server's.
    private static func target(_ address: String) -> String? {
        guard let scheme = address.range(of: "://") else { return address.hasPrefix("/") ? address : "/" + address }
        let rest = address[scheme.upperBound...]
        return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }

    /// The body is whole.
    mutating func finish() {
        guard case .json(let text) = form, !hasNoted else { return }
        hasNoted = true
        if let scan = text.scan() { exchange.note(scan) }
    }

    /// Whether calls that are not answered yet are answered along another way of the session: they were accepted (202), or the stream
    /// can be taken up again where it ends (MCP 2025-11-25, "Resumability and Redelivery").
    func isToBeContinued(_ status: Int) -> Bool {
        guard case .session = exchange.way.scope else { return false }
        return status == 202 || status == 200 && hasEventIDs
    }
}
