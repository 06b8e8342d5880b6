// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// The native search, its pages and its errors; the lists of names; the status.
struct NativeSearchTests {
    private let path = "/api/skein/v1"

    @Test func `a search answers with whole traces in one row each`() async throws {
        let api = try await APIUnderTest(Shop.order)
        #expect(
            try await api.text("\(path)/search?q=user.id%20%3D%20%22abc123%22") == """
                {"traces":[{"traceId":"0af7651916cd43dd8448eb211c80319c","rootServiceName":"web",\
                "rootSpanName":"GET /checkout","startTimeUnixNano":"\(Shop.start)","durationNanos":"9000000",\
                "spanCount":3,"errorCount":1,"matchedSpans":1,"services":[\
                {"name":"checkout","spanCount":1,"errorCount":0},{"name":"payment","spanCount":1,"errorCount":1},\
                {"name":"web","spanCount":1,"errorCount":0}]}],"next":null,\
                "inspected":{"spans":3,"blocks":0,"bytes":0},"hints":[]}
                """
        )
    }

    @Test(
        arguments: [
            ("duration > 500ms", 0), ("duration > 5ms", 1), ("error = true", 1), ("service = \"payment\"", 1),
            ("user.id = \"abc123\"", 1), ("span.http.status_code = 500", 1), ("{ duration > 5ms }", 1), ("", 1),
            ("service = \"payment\" and name = \"place order\"", 0),
        ]
    )
    func `the plain forms find`(query: String, count: Int) async throws {
        let api = try await APIUnderTest(Shop.order)
        #expect(try await api.json("\(path)/search?q=\(escaped(query))")["traces"].array.count == count)
    }

    @Test func `pages follow one another without a gap or a repetition`() async throws {
        // Two traces a moment, so that ties are broken too.
        let spans = (UInt64(1)...25).map { Shop.span(1, trace: TraceID(high: 3, low: $0), at: $0 / 2 * 1000) }
        let api = try await APIUnderTest(spans)
        let whole = try await api.json("\(path)/search?limit=100")["traces"].array
        #expect(whole.count == 25)
        for limit in [1, 2, 7, 24, 25, 26] {
            var got: [JSONValue] = []
            var next: String? = ""
            while let cursor = next {
                let page = try await api.json("\(path)/search?q=name%3D%22GET%20/%22&limit=\(limit)&cursor=\(cursor)")
                got += page["traces"].array
                next = page["next"].string
            }
            #expect(got == whole, "limit \(limit)")
        }
    }

    @Test func `a cursor serves its own query only, and only as it came`() async throws {
        let spans = (UInt64(1)...3).map { Shop.span(1, trace: TraceID(high: 3, low: $0), at: $0) }
        let api = try await APIUnderTest(spans)
        let cursor = try #require(try await api.json("\(path)/search?limit=1")["next"].string)
        #expect(try await api.json("\(path)/search?limit=1&cursor=\(cursor)")["traces"].array.count == 1)
        for bad in [
            "limit=1&cursor=x", "limit=1&cursor=\(cursor)0", "limit=1&cursor=02\(cursor.dropFirst(2))",
            "limit=1&cursor=\(cursor.replacing("3", with: "4"))", "limit=1&q=name%3D%22a%22&cursor=\(cursor)",
            "cursor=\(String(repeating: "é", count: 29))",
        ] {
            let problem = try await api.json("\(path)/search?\(bad)", status: 400)
            #expect(problem["code"] == "invalid-field")
            #expect(problem["field"] == "cursor", "\(bad)")
        }
    }

    @Test func `times are RFC 3339 or nanoseconds, the range is half-open`() async throws {
        let api = try await APIUnderTest([Shop.span(1)])
        let start = Shop.start
        for (range, count) in [
            ("start=\(start)", 1), ("start=\(start + 1)", 0), ("end=\(start)", 0), ("end=\(start + 1)", 1),
            ("start=2026-11-22T09:50:00Z", 1), ("start=2026-11-22T10:50:00%2B01:00", 1),
            ("start=2026-11-22T10:50:00+01:00", 1), ("end=2026-11-22T09:50:00.000000001Z", 1),
            ("start=\(start)&end=\(start)", 0), ("start=0&end=\(UInt64.max)", 1), ("start=&end=", 1),
        ] { #expect(try await api.json("\(path)/search?\(range)")["traces"].array.count == count, "\(range)") }
    }

    @Test(
        arguments: [
            ("search?limit=0", "limit", "limit 0 is out of bounds: it takes 1 to 10000."),
            (
                "search?limit=10001", "limit",
                "limit 10001 is out of bounds: it takes 1 to 10000; for more, follow next."
            ),
            ("search?limit=ten", "limit", "\"ten\" is no number: limit takes 1 to 10000."),
            (
                "attributes?limit=1001", "limit",
                "limit 1001 is out of bounds: it takes 1 to 1000; for more, follow next."
            ),
            (
                "search?start=yesterday", "start",
                "\"yesterday\" is no time: expected RFC 3339, as in 2026-11-22T10:00:00Z, or nanoseconds since 1970."
            ),
            (
                "search?start=5&end=4", "end",
                "end (4) lies before start (5); the range is start up to, not including, end."
            ),
            (
                "traces/xyz", "traceId",
                "\"xyz\" is no trace id: expected 1 to 32 hexadecimal digits, not all zero."
            ),
            (
                "traces/0/skeleton", "traceId",
                "\"0\" is no trace id: expected 1 to 32 hexadecimal digits, not all zero."
            ),
            (
                "attributes/a/values?scope=odd", "scope",
                "\"odd\" is no scope: expected one of any, span, resource, instrumentation, event, link."
            ),
        ]
    )
    func `a bad parameter is named, with its bounds`(target: String, field: String, detail: String) async throws {
        let response = try await APIUnderTest().ask("\(path)/\(target)")
        #expect(response.status == 400)
        #expect(response.header("Content-Type") == "application/problem+json")
        #expect(
            String(decoding: response.bytes, as: UTF8.self)
                == #"{"type":"urn:skein:problem:invalid-field","title":"Bad request","status":400,"#
                + #""code":"invalid-field","detail":"\#(detail.replacing("\"", with: "\\\""))","field":"\#(field)"}"#
        )
    }

    @Test func `a query that does not parse says where, and what was expected`() async throws {
        let problem = try await APIUnderTest().json("\(path)/search?q=\(escaped("duration > > 5ms"))", status: 400)
        #expect(problem["code"] == "invalid-query")
        #expect(problem["field"] == "q")
        #expect(problem["position"] == ["line": 1, "column": 12, "offset": 11, "length": 1])
        #expect(
            problem.keys == [
                "type", "title", "status", "code", "detail", "field", "position", "expected", "suggestion",
            ]
        )
    }

    @Test func `unknown paths and traces are problems too`() async throws {
        let api = try await APIUnderTest(Shop.order)
        for target in ["nothing", "traces/1/2/3", "", "../services"] {
            #expect(try await api.json("\(path)/\(target)", status: 404)["code"] == "unknown-path", "\(target)")
        }
        for target in ["traces/1", "traces/1/skeleton", "traces/1/spans?ids=1"] {
            let problem = try await api.json("\(path)/\(target)", status: 404)
            #expect(problem["code"] == "unknown-trace", "\(target)")
            #expect(problem["detail"].string?.contains("00000000000000000000000000000001") == true)
        }
    }

    @Test func `services have the colour of their number`() async throws {
        let spans = (UInt64(0)..<14).map { Shop.span(1 + $0, service: "s\(10 + $0)", at: $0) }
        let services = try await APIUnderTest(spans).json("\(path)/services")
        #expect(services["services"].array.count == 14)
        #expect(services["services"][0] == ["name": "s10", "color": 0])
        #expect(services["services"][13] == ["name": "s23", "color": 1])
        #expect(services["next"] == nil)
        #expect(services.keys == ["services", "next", "truncated"])
    }

    @Test func `operations, attribute keys and values are listed`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let end = #","next":null,"truncated":false,"countErrorMax":0}"#
        for (target, answer) in [
            (
                "services/payment/operations",
                #"{"operations":[{"name":"charge","kind":"server"}],"next":null,"truncated":false}"#
            ),
            ("services/nobody/operations", #"{"operations":[],"next":null,"truncated":false}"#),
            (
                "attributes?prefix=user",
                #"{"attributes":[{"key":"user.id","scope":"span","types":["string"],"spanCount":1,"#
                    + #""share":0.3333333333333333,"estimate":false}],"next":null,"truncated":false}"#
            ),
            (
                "attributes?prefix=e",
                #"{"attributes":[{"key":"exception.type","scope":"event","types":["string"],"spanCount":1,"#
                    + #""share":0.3333333333333333,"estimate":true}],"next":null,"truncated":false}"#
            ),
            ("attributes/user.id/values", #"{"values":[{"value":"abc123","type":"string","count":1}]"# + end),
            (
                "attributes/span.user.id/values",
                #"{"values":[{"value":"abc123","type":"string","count":1}]"# + end
            ),
            ("attributes/.user.id/values", #"{"values":[{"value":"abc123","type":"string","count":1}]"# + end),
            ("attributes/resource.user.id/values", #"{"values":[]"# + end),
            (
                "attributes/user.id/values?scope=span",
                #"{"values":[{"value":"abc123","type":"string","count":1}]"# + end
            ),
            ("attributes/user.id/values?scope=event", #"{"values":[]"# + end),
            ("attributes/http.status_code/values", #"{"values":[{"value":"500","type":"int","count":1}]"# + end),
            (
                "attributes/service/values?prefix=p",
                #"{"values":[{"value":"payment","type":"string","count":1}]"# + end
            ),
            (
                "attributes/kind/values?prefix=s&limit=1",
                #"{"values":[{"value":"server","type":"string","count":2}]"# + end
            ),
            (
                "attributes/status/values",
                #"{"values":[{"value":"unset","type":"string","count":2},{"value":"error","type":"string","count":1}]"#
                    + end
            ),
            (
                "attributes/name/values?prefix=GET",
                #"{"values":[{"value":"GET /checkout","type":"string","count":1}]"# + end
            ),
        ] { #expect(try await api.text("\(path)/\(target)") == answer, "\(target)") }
    }

    @Test func `the status tells the server's side and the store's`() async throws {
        #expect(
            try await APIUnderTest(Shop.order).text("\(path)/status") == """
                {"version":"0.1.0","startedAt":"2026-11-22T09:59:59.999999999Z",\
                "dataDirectory":"/var/lib/skein","spans":3,\
                "oldestTimeUnixNano":"\(Shop.start)","newestTimeUnixNano":"\(Shop.start + 2_000_000)",\
                "receivedSpans":7,"listeners":[{"name":"otlp-http","address":"127.0.0.1:4318"}],\
                "retention":{"ageSeconds":null,"bytes":1099511627776,\
                "rules":[{"ageSeconds":7776000,"q":"error = true"},{"ageSeconds":null,"q":"kept = true"}]},"health":"ok","problems":[]}
                """
        )
        #expect(try await APIUnderTest().json("\(path)/status")["oldestTimeUnixNano"] == nil)
    }
}
