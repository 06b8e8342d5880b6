// SPDX-License-Identifier: Apache-2.0
package import NIOCore
package import NIOHTTP1
package import SkeinBase
package import SkeinPipeline

/// What a listener does with HTTP requests. The listener owns sockets, time-outs and sizes; the service owns meaning.
package protocol HTTPService: Sendable {
    /// The answer to a request that can be refused by its head alone, before its body is read; `nil` to go on.
    func answer(toHead head: HTTPRequestHead) -> HTTPAnswer?

    /// The answer to a whole request. Called on no particular thread; several run at once.
    /// It owns the call, so that a body which has become something else can go.
    func respond(to call: consuming HTTPCall) async -> HTTPAnswer

    /// Whether work on a request of a client that has gone away is of no use, so that its task is cancelled.
    func abandonsWithClient(_ head: HTTPRequestHead) -> Bool

    /// How this service words what the listener itself refuses: a body too large, too slow or too much at once.
    func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer
}

/// One request with its whole body.
package struct HTTPCall: Sendable {
    package var head: HTTPRequestHead
    package var body: ByteBuffer
    /// What the body is counted against, when it is; whoever makes something else of it counts that instead.
    package var memory: HeldMemory?

    /// A request.
    package init(head: HTTPRequestHead, body: ByteBuffer = ByteBuffer(), memory: HeldMemory? = nil) {
        self.head = head
        self.body = body
        self.memory = memory
    }
}

/// One answer. `Content-Length`, `Transfer-Encoding`, `Date` and `Connection` are the listener's to add.
package struct HTTPAnswer: Sendable {
    package var status: HTTPResponseStatus
    package var headers: HTTPHeaders
    /// The whole body, unless there is a ``stream``.
    package var body: ByteBuffer
    /// A body that is made while it is sent. Only ``HTTPService/respond(to:)`` may answer with one.
    package var stream: HTTPStream?
    /// What the body is counted against, until it is on its way.
    package var memory: HeldMemory?

    /// An answer.
    package init(_ status: HTTPResponseStatus, _ headers: HTTPHeaders = HTTPHeaders(), body: ByteBuffer = ByteBuffer())
    {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer of plain text.
    package static func text(_ status: HTTPResponseStatus, _ text: String, _ headers: HTTPHeaders = HTTPHeaders())
        -> Self
    {
        var headers = headers
        headers.replaceOrAdd(name: "content-type", value: "text/plain; charset=utf-8")
        return HTTPAnswer(status, headers, body: ByteBuffer(string: text))
    }
}

extension HTTPRequestHead {
    /// The path and the query that are asked for, as they came. A server must take the absolute form of a target too,
    /// as it is sent to proxies (RFC 9112 §3.2.2); who is asked there is no matter here.
    package var target: Substring {
        guard !uri.utf8.starts(with: "/".utf8) else { return uri[...] }
        for scheme in ["http://", "https://"] where uri.prefix(scheme.count).lowercased() == scheme {
            let rest = uri.dropFirst(scheme.count)
            guard let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" || $0 == "#" }) else { return "/" }
            return rest[end] == "/" ? rest[end...] : "/" + rest[end...]
        }
        return uri[...]
    }

    /// The part of the target before the query, percent-encoded as it came.
    package var path: Substring { target.prefix { $0 != "?" && $0 != "#" } }
}
