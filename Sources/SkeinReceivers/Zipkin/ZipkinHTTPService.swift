// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import NIOHTTP1
import SkeinCompression
package import SkeinPipeline
import SkeinWire

/// What Zipkin's clients post (zipkin-api 1.0.0): lists of spans at `/api/v2/spans`, JSON or Protocol Buffers, and at
/// `/api/v1/spans`, JSON or Thrift's binary encoding. All else is another service's, such as Zipkin's queries.
///
/// The content type is no more than a hint, since clients leave it out: the bytes show the format. So a page of any site could
/// send without that a browser asks first, and what such a page sends is refused unless its origin is allowed.
package struct ZipkinHTTPService: HTTPService {
    private let intake: ZipkinIntake
    private let other: any HTTPService
    private let origins: CrossOrigins

    /// A service in front of `intake`, beside `other`. Pages of other sites may send when they are of `origins`.
    package init(_ intake: ZipkinIntake, other: any HTTPService, origins: CrossOrigins = CrossOrigins()) {
        self.intake = intake
        self.other = other
        self.origins = origins
    }

    package func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? {
        guard head.zipkinVersion != nil else { return other.answer(toHead: head) }
        intake.counters.requests.add()
        if let origin = head.foreignOrigin, !origins.contains(origin) {
            intake.counters.refuse(.forbidden)
            return .text(
                .forbidden,
                "403 pages of \(origin.prefix(200)) may not send spans here: name their origin with cors-origins"
            )
        }
        guard head.contentCoding == nil else { return nil }
        intake.counters.refuse(.unsupported)
        return .unsupportedCoding(of: head)
    }

    package func respond(to call: consuming HTTPCall) async -> HTTPAnswer {
        let head = call.head
        guard let version = head.zipkinVersion else { return await other.respond(to: call) }
        let (body, memory) = (call.body, call.memory)
        _ = consume call
        let type = head.mediaType ?? ""
        do throws(Refusal) {
            try await intake.receive(
                body,
                coding: head.contentCoding ?? .identity,
                as: .sentTo(version, isBinary: Self.binaryTypes.contains(type)),
                isDebug: head.headers.first(name: "x-b3-flags") == "1",
                memory: memory
            )
            return HTTPAnswer(.accepted)
        } catch {
            return answer(to: error, head: head)
        }
    }

    package func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        guard head.zipkinVersion != nil else { return other.answer(to: refusal, head: head) }
        intake.counters.refuse(refusal.reason)
        return .text(refusal)
    }

    package func abandonsWithClient(_ head: HTTPRequestHead) -> Bool {
        head.zipkinVersion == nil && other.abandonsWithClient(head)
    }

    private static let binaryTypes = ["application/x-protobuf", "application/protobuf", "application/x-thrift"]
}

extension HTTPRequestHead {
    /// The origin of the page that a browser sends this for, unless the page is of this server.
    fileprivate var foreignOrigin: String? {
        guard let origin = headers.first(name: "origin") else { return nil }
        let host = headers.first(name: "host")?.lowercased() ?? ""
        return ["http://\(host)", "https://\(host)"].contains(origin.lowercased()) ? nil : origin
    }

    /// The version of the spans that are posted; `nil` for a request that posts none. Paths may begin with `/zipkin`, as those
    /// of queries do.
    fileprivate var zipkinVersion: Zipkin.Format.Version? {
        guard method == .POST else { return nil }
        return switch path {
        case "/api/v2/spans", "/zipkin/api/v2/spans": .v2
        case "/api/v1/spans", "/zipkin/api/v1/spans": .v1
        default: nil
        }
    }
}
