// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

/// What is true of every path: methods, headers, percent-encoding, a store that fails.
struct RequestTests {
    @Test func `queries decode as forms write them, whatever they hold`() {
        let table: [(String, [APIRequest.QueryItem])] = [
            ("/", []), ("/?", []), ("/?a", [.init("a", "")]), ("/?a=", [.init("a", "")]), ("/?=b", [.init("", "b")]),
            ("/?a=b=c", [.init("a", "b=c")]), ("/?a=1&&a=2", [.init("a", "1"), .init("a", "2")]),
            ("/?a=x+y%20z%2B", [.init("a", "x y z+")]),
            ("/?a=100%&b=%zz&c=%4", [.init("a", "100%"), .init("b", "%zz"), .init("c", "%4")]),
            ("/?%61=%C3%BC", [.init("a", "ü")]), ("/?a=%FF", [.init("a", "\u{fffd}")]),
            ("/?a=?&b=/", [.init("a", "?"), .init("b", "/")]),
        ]
        for (target, items) in table { #expect(APIRequest(target: target).queryItems == items, "\(target)") }
        #expect(APIRequest(target: "").path == "")
    }

    @Test func `headers are found in any case`() {
        let request = APIRequest(target: "/", headers: [("If-None-Match", "x"), ("if-none-match", "y")])
        #expect(request.header("IF-none-MATCH") == "x")
        #expect(request.header("if-none") == nil)
    }

    @Test func `other paths are not the API's`() async throws {
        let api = try await APIUnderTest().api
        for target in ["/", "", "/explore", "/apis/services", "/API/services", "/trace/1?x=/api/services"] {
            #expect(await api.respond(to: APIRequest(target: target)) == nil, "\(target)")
        }
    }

    @Test func `HEAD is GET without the body`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let get = try await api.ask("/api/services")
        let head = try await api.ask("/api/services", method: "HEAD")
        #expect(head.status == 200)
        #expect(head.bytes.isEmpty)
        #expect(head.header("Content-Length") == String(get.bytes.count))
        #expect(head.header("Content-Type") == "application/json")
    }

    @Test func `OPTIONS and wrong methods are told what a path takes`() async throws {
        let api = try await APIUnderTest()
        let options = try await api.ask("/api/skein/v1/services", method: "OPTIONS")
        #expect(options.status == 204)
        #expect(options.header("Allow") == "GET, HEAD, OPTIONS")
        for target in ["/api/skein/v1/services", "/api/services", "/api/traces/1"] {
            let refused = try await api.ask(target, method: "DELETE")
            #expect(refused.status == 405)
            #expect(refused.header("Allow") == "GET, HEAD, OPTIONS")
        }
        #expect(try await api.ask("/api/nothing", method: "OPTIONS").status == 404)
    }

    @Test func `an answer names the route that gave it`() async throws {
        let api = try await APIUnderTest()
        #expect(try await api.ask("/api/services/a%2Fb/operations").route == "/api/services/{service}/operations")
        #expect(try await api.ask("/api/skein/v1/traces/1").route == "/api/skein/v1/traces/{id}")
        #expect(try await api.ask("/api/zzz").route == "")
    }

    @Test func `a slash at the end says nothing`() async throws {
        #expect(try await APIUnderTest(Shop.order).json("/api/services/")["total"] == 3)
    }

    @Test(
        arguments: [
            (StoreError.Code.unavailable, 503, "unavailable", "1"), (.full, 503, "storage-full", "30"),
            (.cancelled, 499, "cancelled", ""), (.limit, 422, "limit-exceeded", ""),
            (.corrupt, 503, "unavailable", "1"), (.io, 500, "internal", ""), (.unusable, 500, "internal", ""),
        ]
    )
    func `what a store refuses is told in HTTP's terms`(
        code: StoreError.Code,
        status: Int,
        word: String,
        retryAfter: String
    ) async throws {
        let api = APIUnderTest(over: RefusingStore(StoreError(code, "it broke", place: "/data/blocks/7 @ 12")))
        for target in [
            "/api/skein/v1/search", "/api/skein/v1/traces/1/skeleton", "/api/services", "/api/traces?service=a",
            "/api/traces/1", "/api/dependencies", "/api/skein/v1/attributes/service/values",
        ] {
            let response = try await api.ask(target, headers: [("x-request-id", "r-1")])
            let text = String(decoding: response.bytes, as: UTF8.self)
            #expect(response.status == status, "\(target)")
            #expect(response.header("Retry-After") ?? "" == retryAfter)
            #expect(text.contains(target.contains("skein") ? #""code":"\#(word)""# : #""code":\#(status)"#), "\(text)")
            #expect(!text.contains("/data"), "files are not the client's business")
            if status == 500 { #expect(text.contains("r-1")) }
            if status == 500 || code == .corrupt {
                #expect(response.header("X-Request-Id") == "r-1")
                #expect(response.logMessage == "r-1: \(code.rawValue): it broke (/data/blocks/7 @ 12)")
            }
        }
    }

    @Test func `an id for the log is made up when the client sent none that is fit`() async throws {
        let api = APIUnderTest(over: RefusingStore(StoreError(.io, "no")))
        for sent in ["", "a b", String(repeating: "x", count: 65), "ü"] {
            let id = try await api.ask("/api/services", headers: [("X-Request-Id", sent)]).header("X-Request-Id")
            #expect(id?.count == 16)
        }
    }
}
