// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// Zipkin's lists, its graph, and what its page asks of a server.
struct ZipkinNamesTests {
    @Test func `names are in lower case, sorted, each once`() async throws {
        let api = try await APIUnderTest([
            Shop.span(1, service: "Web", name: "GET /"), Shop.span(2, service: "web", name: "get /"),
            Shop.span(3, service: "web", name: "Idle"), Shop.span(4, service: "Über/uns", name: "x"),
        ])
        #expect(try await api.zipkin("/api/v2/services") == #"["web","über/uns"]"#)
        #expect(try await api.zipkin("/api/v2/spans?serviceName=WEB") == #"["get /","idle"]"#)
        #expect(try await api.zipkin("/api/v2/spans?serviceName=%C3%BCber%2Funs") == #"["x"]"#)
        #expect(try await api.zipkin("/api/v2/spans?serviceName=nobody") == "[]")
        #expect(try await APIUnderTest().zipkin("/api/v2/services") == "[]")
    }

    @Test func `lists may be cached once there are more than three services`() async throws {
        let three = ["a", "b", "c"].enumerated().map { Shop.span(UInt64($0 + 1), service: $1) }
        let four = three + [Shop.span(9, service: "d")]
        let policy = "max-age=300, must-revalidate"
        for path in ["services", "spans?serviceName=a", "remoteServices?serviceName=a"] {
            let few = await (try APIUnderTest(three)).askZipkin("/api/v2/\(path)")
            let many = await (try APIUnderTest(four)).askZipkin("/api/v2/\(path)")
            #expect(few.header("Cache-Control") == nil && many.header("Cache-Control") == policy, "\(path)")
        }
        let keys = await (try APIUnderTest(three)).askZipkin("/api/v2/autocompleteKeys")
        #expect(keys.header("Cache-Control") == policy)
        let values = await (try APIUnderTest(four)).askZipkin("/api/v2/autocompleteValues?key=a")
        #expect(values.header("Cache-Control") == nil)
        let traces = await (try APIUnderTest(four)).askZipkin("/api/v2/traces")
        #expect(traces.header("Cache-Control") == nil)
    }

    @Test func `remote services are those that answer, and what callers say`() async throws {
        var query = Shop.span(7, parent: 2, service: "checkout", name: "SELECT", kind: .client)
        query.attributes = [Attribute("db.system", "postgresql"), Attribute("db.name", "Orders")]
        var old = Shop.span(8, trace: TraceID(high: 0, low: 8), service: "checkout", kind: .client)
        old.attributes = [Attribute("peer.service", "gone")]
        old.startUnixNanos = APIUnderTest.now - 2 * 86_400_000_000_000
        let api = try await APIUnderTest(Shop.order + [query, old])
        #expect(try await api.zipkin("/api/v2/remoteServices?serviceName=Checkout") == #"["orders","payment"]"#)
        #expect(try await api.zipkin("/api/v2/remoteServices?serviceName=payment") == "[]")
        for name in ["orders", "payment"] {
            let found = try await api.zipkinJSON("/api/v2/traces?serviceName=checkout&remoteServiceName=\(name)")
            #expect(found.array.count == 1, "\(name)")
        }
    }

    @Test func `keys to complete are the settings', or those in use`() async throws {
        var under = try await APIUnderTest(Shop.order + [Shop.order[2]])
        #expect(try await under.zipkin("/api/v2/autocompleteKeys") == #"["http.status_code","user.id"]"#)
        #expect(try await under.zipkin("/api/v2/autocompleteValues?key=http.status_code") == #"["500"]"#)
        #expect(try await under.zipkin("/api/v2/autocompleteValues?key=nothing") == "[]")
        var settings = ZipkinSettings()
        settings.autocompleteKeys = ["user.id", "environment"]
        under = APIUnderTest(over: under.store, zipkin: settings)
        #expect(try await under.zipkin("/api/v2/autocompleteKeys") == #"["environment","user.id"]"#)
        #expect(try await under.zipkin("/api/v2/autocompleteValues?key=user.id") == #"["abc123"]"#)
        #expect(try await under.zipkin("/api/v2/autocompleteValues?key=http.status_code") == "[]")
    }

    /// Between a block and memory a call is not seen until they are one.
    @Test(arguments: [StoreUnderTest.memory, .head, .blocks])
    func `dependencies count calls and errors, what sends no spans included`(_ store: StoreUnderTest) async throws {
        var query = Shop.span(7, parent: 2, service: "checkout", name: "SELECT", kind: .client)
        query.attributes = [Attribute("db.system", "postgresql"), Attribute("db.name", "Orders")]
        var upper = Shop.order[0]
        upper.resource = Shop.resource("Web")
        let api = try await store.api([upper, Shop.order[1], Shop.order[2], query])
        let range = "endTs=\(APIUnderTest.now / 1_000_000)"
        #expect(
            try await api.zipkin("/api/v2/dependencies?\(range)")
                == #"[{"parent":"checkout","child":"orders","callCount":1},"#
                + #"{"parent":"checkout","child":"payment","callCount":1,"errorCount":1},"#
                + #"{"parent":"web","child":"checkout","callCount":1}]"#
        )
        #expect(try await api.zipkin("/api/v2/dependencies?\(range)&lookback=60000") == "[]")
        #expect(try await api.zipkin("/api/v2/dependencies?endTs=1000&lookback=1000") == "[]")
        #expect(
            try await api.zipkinJSON("/api/v2/dependencies?endTs=9223372036854775807&lookback=9223372036854775807")
                .array.count == 3
        )
    }

    @Test func `names of one service in several spellings are one node`() async throws {
        let api = try await APIUnderTest([
            Shop.span(1, service: "A", kind: .client), Shop.span(2, parent: 1, service: "b"),
            Shop.span(3, service: "a", kind: .client), Shop.span(4, parent: 3, service: "B"),
        ])
        let links = try await api.zipkinJSON("/api/v2/dependencies?endTs=\(APIUnderTest.now / 1_000_000)")
        #expect(links == [["parent": "a", "child": "b", "callCount": 2]])
    }

    @Test func `the page finds its configuration, and operators health and version`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let configuration = await api.askZipkin("/config.json")
        #expect(configuration.header("Cache-Control") == "max-age=600")
        #expect(
            try await api.zipkin("/config.json")
                == #"{"environment":"","queryLimit":10,"defaultLookback":900000,"searchEnabled":true,"logsUrl":null,"#
                + #""supportUrl":null,"archivePostUrl":null,"archiveUrl":null,"#
                + #""dependency":{"enabled":true,"lowErrorRate":0.5,"highErrorRate":0.75}}"#
        )
        #expect(
            try await api.zipkin("/health")
                == #"{"status":"UP","zipkin":{"status":"UP","details":{"SkeinStore":{"status":"UP"}}}}"#
        )
        #expect(try await api.zipkin("/info") == #"{"zipkin":{"version":"0.1.0"}}"#)
    }

    @Test func `it is served at its own root, below its prefix there, and below its prefix beside the others`()
        async throws
    {
        let api = try await APIUnderTest(Shop.order)
        let names = #"["checkout","payment","web"]"#
        #expect(try await api.zipkin("/api/v2/services") == names)
        #expect(try await api.zipkin("/zipkin/api/v2/services") == names)
        #expect(try await api.text("/zipkin/api/v2/services") == names)
        #expect(try await api.zipkin("/zipkin/config.json").hasPrefix(#"{"environment""#))
        // Where all are served, the same path without the prefix is Jaeger's.
        #expect(try await api.json("/api/v2/services", status: 404)["errors"][0]["code"] == 404)
        for target in ["/", "/zipkin/", "/api/v2/nothing", "/api/services"] {
            #expect(await api.askZipkin(target).status == 404, "\(target)")
        }
        let posted = await api.askZipkin("/api/v2/services", method: "POST")
        #expect(posted.status == 405 && posted.header("Allow") == "GET, HEAD, OPTIONS")
    }
}
