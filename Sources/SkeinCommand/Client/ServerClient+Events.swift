// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

extension ServerClient {
    /// Most bytes of an answer that is an error.
    private static let problemBytesMax = 1 << 20
    /// Most bytes of one event.
    private static let eventBytesMax = 16 << 20

    /// Calls `body` with the name and the data of each Server-Sent Event of an answer. Returns when the server ends it.
    func events(
        _ path: String,
        _ parameters: [(String, String?)],
        _ body: (String, Data) -> Void
    ) async throws(CommandFailure) {
        var request = HTTPClientRequest(url: url(path, parameters))
        request.headers.add(name: "accept", value: "text/event-stream")
        let answer: HTTPClientResponse
        do {
            answer = try await Self.connections.execute(request, deadline: .distantFuture)
        } catch {
            throw unreachable(error)
        }
        guard answer.status == .ok else {
            let bytes = try? await answer.body.collect(upTo: Self.problemBytesMax)
            let data = bytes.map { Data($0.readableBytesView) } ?? Data()
            throw Problem.failure(status: Int(answer.status.code), body: data, asked: path)
        }
        var parser = EventParser()
        do {
            for try await piece in answer.body {
                for (event, data) in parser.take(piece.readableBytesView) { body(event, data) }
                guard parser.waitingByteCount <= Self.eventBytesMax else { return }
            }
        } catch {
            // The connection broke; whoever called says that the stream ended.
            return
        }
    }
}

/// Takes a stream of Server-Sent Events apart (WHATWG HTML §9.2.6), as far as our server uses them.
struct EventParser {
    private var line: [UInt8] = []
    private var event = ""
    private var data: [UInt8] = []

    /// Bytes of an event that is not whole.
    var waitingByteCount: Int { line.count + data.count }

    /// The events that `bytes` complete.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [(event: String, data: Data)] {
        var events: [(event: String, data: Data)] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                if byte != UInt8(ascii: "\r") { line.append(byte) }
                continue
            }
            if line.isEmpty {
                if !data.isEmpty { events.append((event.isEmpty ? "message" : event, Data(data))) }
                event = ""
                data = []
            } else {
                takeLine()
            }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func takeLine() {
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts.first, !first.isEmpty else { return }
        let value = parts[1].first == UInt8(ascii: " ") ? parts[1].dropFirst() : parts[1]
        if first.elementsEqual("event".utf8) {
            event = String(decoding: value, as: UTF8.self)
        } else if first.elementsEqual("data".utf8) {
            if !data.isEmpty { data.append(UInt8(ascii: "\n")) }
            data += value
        }
    }
}
