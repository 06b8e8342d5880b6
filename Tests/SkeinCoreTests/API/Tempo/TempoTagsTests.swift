// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinModel
import SkeinStore
import Testing

@testable import SkeinAPI

/// Lists of names and values, which editors complete queries with.
struct TempoTagsTests {
    private static let spans: [SkeinModel.Span] = {
        var spans = Shop.order
        spans[0].attributes = [
            Attribute("ratio", 2.0), Attribute("big", 1e12), Attribute("cached", true), Attribute("user id", "x"),
            Attribute("list", ["a", "b", 1]), Attribute("map", .map([Attribute("k", "v")])), Attribute("a/b", "slash"),
        ]
        spans[0].resource = Shop.resource("web", [Attribute("host.name", "h1")])
        spans[0].scope = InstrumentationScope(name: "lib", version: "1.2", attributes: [Attribute("lib.kind", "auto")])
        spans[1].links = [.init(traceID: Shop.traceID, spanID: SpanID(9), attributes: [Attribute("reason", "retry")])]
        return spans
    }()

    private func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    /// Values as `type:value`.
    private func values(_ name: String, _ more: String = "") async throws -> [String] {
        let api = try await APIUnderTest(Self.spans)
        return try await api.tempoJSON("/api/v2/search/tag/\(encoded(name))/values\(more)")["tagValues"].array.map {
            "\($0["type"].string ?? ""):\($0["value"].string ?? "")"
        }
    }

    @Test func `names come by scope, those of Tempo's own last`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let answer = try await api.tempoJSON("/api/v2/search/tags")
        #expect(
            answer["scopes"].array.dropLast() == [
                ["name": "resource", "tags": ["host.name", "service.name"]],
                [
                    "name": "span",
                    "tags": ["a/b", "big", "cached", "http.status_code", "list", "map", "ratio", "user id", "user.id"],
                ],
                ["name": "event", "tags": ["exception.type"]],
                ["name": "link", "tags": ["reason"]],
                ["name": "instrumentation", "tags": ["lib.kind"]],
            ]
        )
        let intrinsic = try #require(answer["scopes"].array.last)
        #expect(intrinsic["name"] == "intrinsic")
        for name in [
            "duration", "kind", "name", "rootName", "rootServiceName", "status", "traceDuration", "event:name",
        ] {
            #expect(intrinsic["tags"].array.contains(.string(name)))
        }
        #expect(answer["metrics"] == ["totalJobs": 1, "completedJobs": 1])
        #expect(try await api.tempoJSON("/api/v2/search/tags?scope=intrinsic")["scopes"] == [intrinsic])
        #expect(
            try await api.tempo("/api/v2/search/tags?scope=resource&limit=1") == """
                {"scopes":[{"name":"resource","tags":["host.name"]}],"metrics":{"totalJobs":1,"completedJobs":1}}
                """
        )
        #expect(try await api.tempo("/api/v2/search/tags?scope=some", status: 400) == "invalid scope: some")
    }

    @Test func `version 1 lists names without scopes`() async throws {
        let api = try await APIUnderTest(Shop.order)
        #expect(
            try await api.tempo("/api/search/tags") == """
                {"tagNames":["exception.type","http.status_code","service.name","user.id"],\
                "metrics":{"totalJobs":1,"completedJobs":1}}
                """
        )
        #expect(try await api.tempoJSON("/api/search/tags?scope=span")["tagNames"] == ["http.status_code", "user.id"])
        #expect(try await api.tempoJSON("/api/search/tags?scope=intrinsic")["tagNames"].array.contains("duration"))
        #expect(try await api.tempoMessage("/api/search/tags?scope=span").texts(1) == ["http.status_code", "user.id"])
    }

    @Test func `names may be those of some spans`() async throws {
        let api = try await APIUnderTest(Self.spans)
        func tags(_ query: String, _ more: String = "") async throws -> JSONValue {
            try await api.tempoJSON("/api/v2/search/tags?scope=span&q=\(encoded(query))\(more)")["scopes"][0]["tags"]
        }
        #expect(try await tags("{ status = error }") == ["http.status_code", "user.id"])
        #expect(try await tags("{ resource.service.name = \"checkout\" }") == nil)
        #expect(try await tags("{ status = error && }") == (try await tags("")))
        let second = Shop.start / 1_000_000_000
        #expect(try await tags("{ status = error }", "&start=\(second - 2)&end=\(second - 1)") == nil)
    }

    @Test(arguments: [
        ("resource.service.name", ["string:checkout", "string:payment", "string:web"]),
        (".service.name", ["string:checkout", "string:payment", "string:web"]),
        ("span.http.status_code", ["int:500"]), ("span.ratio", ["float:2.0"]), ("span.big", ["float:1e+12"]),
        ("span.cached", ["bool:true"]), ("span.list", ["string:a", "string:b", "int:1"]), ("span.map", []),
        ("span.\"user id\"", ["string:x"]), (".nosuch", []), ("event.exception.type", ["string:CardError"]),
        ("link.reason", ["string:retry"]), ("instrumentation.lib.kind", ["string:auto"]),
        ("status", ["keyword:error", "keyword:ok", "keyword:unset"]),
        ("span:status", ["keyword:error", "keyword:ok", "keyword:unset"]),
        (
            "kind",
            [
                "keyword:client", "keyword:consumer", "keyword:internal", "keyword:producer", "keyword:server",
                "keyword:unspecified",
            ]
        ),
        ("name", ["string:GET /checkout", "string:charge", "string:place order"]),
        ("span:name", ["string:GET /checkout", "string:charge", "string:place order"]),
        ("statusMessage", ["string:card declined"]), ("event:name", ["string:exception"]),
        ("instrumentation:name", ["string:lib"]), ("instrumentation:version", ["string:1.2"]), ("duration", []),
        ("traceDuration", []), ("span:id", []), ("trace:id", []), ("nestedSetParent", []),
    ])
    func `values come with their types`(name: String, expected: [String]) async throws {
        #expect(try await values(name) == expected)
    }

    @Test(arguments: [
        ("resource.service.name", "{ status = error }", ["string:payment"]),
        ("resource.service.name", "{ status = error && name = }", ["string:payment"]),
        ("resource.service.name", "{ status = error && span.foo = ", ["string:payment"]),
        ("resource.service.name", "{ status = error || kind = internal }", ["string:checkout", "string:payment"]),
        ("resource.service.name", "{ }", ["string:checkout", "string:payment", "string:web"]),
        ("resource.service.name", "{ nosuch", ["string:checkout", "string:payment", "string:web"]),
        ("resource.service.name", "status = error", ["string:checkout", "string:payment", "string:web"]),
        ("resource.service.name", "{ name = \"}{\" }", []),
        ("resource.service.name", "{ status = error } && { }", ["string:checkout", "string:payment", "string:web"]),
        ("resource.service.name", "{ status = error && }", ["string:checkout", "string:payment", "string:web"]),
        ("resource.service.name", "\u{fffd}{{{(((\"", ["string:checkout", "string:payment", "string:web"]),
        ("name", "{ resource.service.name = \"web\" }", ["string:GET /checkout"]),
        ("rootName", "{ status = error }", ["string:GET /checkout"]),
        ("rootServiceName", "{ status = error }", ["string:web"]),
        ("event:name", "{ status = error }", ["string:exception"]),
        ("event:name", "{ status = unset }", []),
        ("event.exception.type", "{ status = error }", ["string:CardError"]),
        ("link.reason", "{ kind = internal }", ["string:retry"]),
        ("link.reason", "{ kind = server }", []),
        ("span.list", "{ kind = server }", ["string:a", "string:b", "int:1"]),
        ("span.http.status_code", "{ kind = server }", ["int:500"]),
        ("instrumentation:version", "{ kind = server }", ["string:1.2"]),
    ])
    func `values may be those of some spans, while the query is being written`(
        name: String,
        query: String,
        expected: [String]
    ) async throws {
        #expect(try await values(name, "?q=\(encoded(query))").sorted() == expected.sorted())
    }

    @Test func `the most frequent value comes first, and limits and times hold`() async throws {
        let spans = [("web", 1), ("web", 2), ("db", 3)].map { Shop.span(UInt64($0.1), service: $0.0) }
        let api = try await APIUnderTest(spans)
        func names(_ more: String) async throws -> JSONValue {
            try await api.tempoJSON("/api/v2/search/tag/resource.service.name/values?\(more)")["tagValues"]
        }
        #expect(try await names("").array.map { $0["value"] } == ["web", "db"])
        #expect(try await names("limit=1").array.map { $0["value"] } == ["web"])
        let second = Shop.start / 1_000_000_000
        let query = "q=\(encoded("{ kind = server }"))"
        #expect(
            try await names("\(query)&start=\(second)&end=\(second + 1)").array.map { $0["value"] } == ["web", "db"]
        )
        #expect(try await names("\(query)&start=\(second + 1)&end=\(second + 2)") == [])
    }

    @Test func `a name may be escaped once, twice or not at all`() async throws {
        let api = try await APIUnderTest(Self.spans)
        for name in ["span.a/b", "span.a%2Fb", "span.a%252Fb"] {
            let answer = try await api.tempoJSON("/api/v2/search/tag/\(name)/values")
            #expect(answer["tagValues"] == [["type": "string", "value": "slash"]], "\(name)")
        }
    }

    @Test(arguments: ["foo", "a) | count() > 1 | select(b", "span.a, span.b", ".a } | { .b", "span", "duration > 1s"])
    func `what names no field is refused`(name: String) async throws {
        let api = try await APIUnderTest(Self.spans)
        let text = try await api.tempo("/api/v2/search/tag/\(encoded(name))/values", status: 400)
        #expect(text.hasPrefix("please provide a valid tagName: tag name is not valid intrinsic or scoped attribute: "))
    }

    @Test func `version 1 takes plain keys and answers with plain texts`() async throws {
        let api = try await APIUnderTest(Self.spans)
        #expect(
            try await api.tempo("/api/search/tag/service.name/values") == """
                {"tagValues":["checkout","payment","web"],"metrics":{"totalJobs":1,"completedJobs":1}}
                """
        )
        for (name, values) in [
            ("http.status_code", ["500"]), ("user%20id", ["x"]), ("status.code", ["error", "ok", "unset"]),
            ("status", ["error", "ok", "unset"]), ("name", ["GET /checkout", "charge", "place order"]),
            ("duration", []),
        ] {
            #expect(
                try await api.tempoJSON("/api/search/tag/\(name)/values")["tagValues"].array.map(\.string) == values,
                "\(name)"
            )
        }
    }

    @Test func `lists are there as messages`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let tags = try await api.tempoMessage("/api/v2/search/tags?scope=resource")
        #expect(tags.messages(1).map { [$0.text(1)] + $0.texts(2) } == [["resource", "host.name", "service.name"]])
        #expect(tags.messages(2).first?.number(2) == 1)
        let values = try await api.tempoMessage("/api/v2/search/tag/span.list/values")
        #expect(
            values.messages(1).map { [$0.text(1), $0.text(2)] } == [["string", "a"], ["string", "b"], ["int", "1"]]
        )
    }

    @Test(arguments: [
        (2.0, "2.0"), (1e12, "1e+12"), (0.5, "0.5"), (100_000, "100000.0"), (1_234_567, "1.234567e+06"), (0, "0.0"),
        (-0.0001, "-0.0001"), (0.00001, "1e-05"), (1.5e-7, "1.5e-07"), (12.25, "12.25"), (.infinity, "+Inf"),
        (1e300, "1e+300"), (5e-324, "5e-324"),
    ])
    func `numbers are written as Go does`(number: Double, text: String) {
        #expect(GoText.float(number) == text)
    }
}
