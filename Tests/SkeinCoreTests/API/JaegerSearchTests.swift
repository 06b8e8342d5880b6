// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// Jaeger's lists of names and its search, with the texts of its errors.
struct JaegerSearchTests {
    private let shop = Shop.order

    private func found(_ api: APIUnderTest, _ query: String) async throws -> [String] {
        try await api.json("/api/traces?\(query)")["data"].array.compactMap { $0["traceID"].string }
    }

    @Test func `lists of names come in Jaeger's envelope`() async throws {
        let api = try await APIUnderTest(
            shop + [Shop.span(4, name: "GET /", kind: .client), Shop.span(5, kind: .unspecified)]
        )
        let table: [(String, String)] = [
            ("/api/services", #"{"data":["checkout","payment","web"],"total":3,"limit":0,"offset":0,"errors":null}"#),
            (
                "/api/services/web/operations",
                #"{"data":["GET /","GET /checkout"],"total":2,"limit":0,"offset":0,"errors":null}"#
            ),
            ("/api/services/nobody/operations", #"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#),
            (
                "/api/operations?service=web",
                #"{"data":[{"name":"GET /","spanKind":""},{"name":"GET /","spanKind":"client"},"#
                    + #"{"name":"GET /checkout","spanKind":"server"}],"total":3,"limit":0,"offset":0,"errors":null}"#
            ),
            (
                "/api/operations?service=web&spanKind=client",
                #"{"data":[{"name":"GET /","spanKind":"client"}],"total":1,"limit":0,"offset":0,"errors":null}"#
            ),
            (
                "/api/operations?service=web&spanKind=odd",
                #"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#
            ),
        ]
        for (target, answer) in table { #expect(try await api.text(target) == answer, "\(target)") }
        #expect(
            try await APIUnderTest().text("/api/services")
                == #"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#
        )
    }

    @Test func `a service may be called anything`() async throws {
        for (name, path) in [
            ("a/b", "a%2Fb"), ("a b", "a%20b"), ("a+b", "a+b"), ("100%", "100%25"), ("grüße", "gr%C3%BC%C3%9Fe"),
            ("注文", "注文"), ("a?b=c&d", "a%3Fb%3Dc%26d"),
        ] {
            let api = try await APIUnderTest([Shop.span(1, service: name, name: "op/1")])
            #expect(try await api.json("/api/services/\(path)/operations")["data"] == ["op/1"], "\(name)")
            let query = path == "a+b" ? "a%2Bb" : path
            #expect(try await found(api, "service=\(query)").count == 1, "\(name)")
            #expect(try await api.json("/api/skein/v1/services/\(path)/operations")["operations"][0]["name"] == "op/1")
        }
        let api = try await APIUnderTest([Shop.span(1, service: "a b")])
        #expect(try await found(api, "service=a+b").count == 1)
    }

    @Test(
        arguments: [
            ("service=payment", 1), ("service=nobody", 0), ("service=payment&operation=charge", 1),
            // Every condition must hold on one span.
            ("service=web&operation=charge", 0), ("service=web&tags=%7B%22user.id%22%3A%22abc123%22%7D", 0),
            ("service=payment&tag=user.id:abc123", 1), ("service=payment&tag=user.id:abc", 0),
            ("service=payment&tags=%7B%22user.id%22%3A%22abc123%22%2C%22error%22%3A%22true%22%7D", 1),
            ("service=payment&tags=%7B%7D", 1), ("service=payment&tags=", 1),
            ("service=payment&tag=user.id:abc123&tag=http.status_code:500", 1),
            ("service=payment&tag=user.id:abc123&tag=http.status_code:501", 0),
            // Values are compared as text, whatever their type.
            ("service=payment&tag=http.status_code:500", 1), ("service=payment&tag=http.status_code:0500", 0),
            ("service=payment&tag=ratio:0.5", 1), ("service=payment&tag=ok:false", 1),
            // Fields of ours that are tags to Jaeger.
            ("service=payment&tag=event:exception", 1), ("service=payment&tag=event:other", 0),
            ("service=web&tag=event:", 0),
            ("service=payment&tag=error:true", 1), ("service=payment&tag=error:false", 0),
            ("service=web&tag=error:true", 0), ("service=web&tag=error:false", 1),
            ("service=web&tag=span.kind:server", 1), ("service=web&tag=span.kind:client", 0),
            ("service=payment&tag=otel.status_code:ERROR", 1), ("service=payment&tag=otel.status_code:OK", 0),
            ("service=payment&tag=otel.status_description:card%20declined", 1),
            ("service=payment&tag=otel.scope.name:lib", 1), ("service=payment&tag=otel.scope.version:3", 0),
            // Of the process and of logs.
            ("service=payment&tag=host.name:h1", 1), ("service=payment&tag=exception.type:CardError", 1),
            ("service=payment&tag=a%3Ab%3Ac", 0),
            ("service=payment&minDuration=3ms", 1), ("service=payment&minDuration=3000001ns", 0),
            ("service=payment&maxDuration=3ms", 1), ("service=payment&maxDuration=2.999999ms", 0),
            ("service=payment&minDuration=3000us&maxDuration=3000%C2%B5s", 1), ("service=payment&minDuration=0", 1),
            ("service=payment&lookback=1h&limit=5&raw=true", 1),
        ]
    )
    func `a search finds`(query: String, count: Int) async throws {
        var spans = shop
        spans[2].attributes += [Attribute("ratio", 0.5), Attribute("ok", false)]
        spans[2].resource.attributes.append(Attribute("host.name", "h1"))
        spans[2].scope.name = "lib"
        let api = try await APIUnderTest(spans)
        #expect(try await found(api, query).count == count)
    }

    @Test func `start and end are microseconds and include themselves`() async throws {
        var span = Shop.span(1)
        span.startUnixNanos += 7
        let api = try await APIUnderTest([span])
        let micros = Shop.start / 1000
        for (query, count) in [
            ("start=\(micros)&end=\(micros)", 1), ("start=\(micros + 1)", 0), ("end=\(micros - 1)", 0),
            ("start=0&end=\(micros)", 1), ("start=-5&end=9223372036854775807", 1), ("start=9223372036854775807", 0),
            ("start=\(micros)&end=\(micros - 10)", 0), ("", 1),
        ] { #expect(try await found(api, "service=web&\(query)").count == count, "\(query)") }
    }

    @Test func `without a range the last two days are searched`() async throws {
        let day: UInt64 = 86400 * 1_000_000_000
        let spans = (UInt64(0)..<3).map { age in
            var span = Shop.span(1, trace: TraceID(high: 1, low: age + 1))
            span.startUnixNanos = APIUnderTest.now - age * day - 1
            return span
        }
        let api = try await APIUnderTest(spans)
        #expect(
            try await found(api, "service=web") == [
                "00000000000000010000000000000001", "00000000000000010000000000000002",
            ]
        )
    }

    @Test func `results are newest first and as many as asked for`() async throws {
        let spans = (UInt64(0)..<5).map { Shop.span(1, trace: TraceID(high: 0, low: $0 + 1), at: $0 * 1000) }
        let api = try await APIUnderTest(spans)
        #expect(try await found(api, "service=web&limit=2") == ["0000000000000005", "0000000000000004"])
        #expect(try await found(api, "service=web").count == 5)
    }

    @Test func `traces can be asked for by their ids`() async throws {
        let api = try await APIUnderTest(shop + [Shop.span(1, trace: TraceID(high: 0, low: 7))])
        let answer = try await api.json("/api/traces?traceID=\(Shop.traceID)&traceID=7&traceID=07&traceID=9")
        #expect(answer["data"].array.map { $0["traceID"] } == [.string("\(Shop.traceID)"), "0000000000000007"])
        #expect(answer["errors"] == [["code": 404, "msg": "trace not found", "traceID": "0000000000000009"]])
        #expect(try await api.json("/api/traces?traceID=7")["errors"] == nil)
    }

    @Test(
        arguments: [
            ("/api/traces", "parameter 'service' is required"),
            ("/api/traces?service=", "parameter 'service' is required"),
            ("/api/operations", "parameter 'service' is required"),
            (
                "/api/traces?service=a&start=x",
                #"unable to parse param 'start': strconv.ParseInt: parsing "x": invalid syntax"#
            ),
            (
                "/api/traces?service=a&end=99999999999999999999",
                #"unable to parse param 'end': strconv.ParseInt: parsing "99999999999999999999": value out of range"#
            ),
            (
                "/api/traces?service=a&limit=1.5",
                #"unable to parse param 'limit': strconv.ParseInt: parsing "1.5": invalid syntax"#
            ),
            ("/api/traces?service=a&limit=0", "'limit' is 0, it takes 1 to 10000"),
            ("/api/traces?service=a&limit=20000", "'limit' is 20000, it takes 1 to 10000"),
            (
                "/api/traces?service=a&minDuration=10",
                #"unable to parse param 'minDuration': time: missing unit in duration "10""#
            ),
            (
                "/api/traces?service=a&minDuration=10d",
                #"unable to parse param 'minDuration': time: unknown unit "d" in duration "10d""#
            ),
            (
                "/api/traces?service=a&maxDuration=fast",
                #"unable to parse param 'maxDuration': time: invalid duration "fast""#
            ),
            (
                "/api/traces?service=a&minDuration=2s&maxDuration=1s",
                "'maxDuration' should be greater than 'minDuration'"
            ),
            (
                "/api/traces?service=a&tag=user",
                "malformed 'tag' parameter, expecting key:value, received: user"
            ),
            (
                "/api/traces?service=a&raw=maybe",
                #"unable to parse param 'raw': strconv.ParseBool: parsing "maybe": invalid syntax"#
            ),
            (
                "/api/traces/1?start=x",
                #"unable to parse param 'start': strconv.ParseInt: parsing "x": invalid syntax"#
            ),
            (
                "/api/dependencies?endTs=x",
                #"unable to parse param 'endTs': strconv.ParseInt: parsing "x": invalid syntax"#
            ),
        ]
    )
    func `a bad parameter is named`(target: String, message: String) async throws {
        let answer = try await APIUnderTest(shop).json(target, status: 400)
        #expect(
            answer == [
                "data": nil, "total": 0, "limit": 0, "offset": 0,
                "errors": [["code": 400, "msg": .string(message)]],
            ]
        )
    }

    @Test func `malformed tags say so`() async throws {
        for tags in ["x", "[]", "%7B", #"{"a":}"#, #"{"a":{}}"#, #"{"a":"b"}x"#] {
            let target = "/api/traces?service=a&tags=\(tags.replacing("\"", with: "%22").replacing("{", with: "%7B"))"
            let message = try await APIUnderTest(shop).json(target, status: 400)["errors"][0]["msg"].string
            #expect(message?.hasPrefix("malformed 'tags' parameter, cannot unmarshal JSON: ") == true, "\(tags)")
        }
    }

    @Test func `a file of OTLP JSON is shown as traces`() async throws {
        let shop = try await APIUnderTest(self.shop + [Shop.span(1, trace: TraceID(high: 0, low: 7))])
        let file = try await shop.ask("/api/skein/v1/traces/\(Shop.traceID)").bytes
        let empty = try await APIUnderTest()
        let request = APIRequest(method: "POST", target: "/api/transform", body: file)
        let answer = try #require(await empty.api.respond(to: request))
        #expect(answer.status == 200)
        #expect(answer.bytes == (try await shop.ask("/api/traces/\(Shop.traceID)")).bytes)
        for bad in ["", "{", "[]", #"{"resourceSpans":1}"#] {
            let request = APIRequest(method: "POST", target: "/api/transform", body: Array(bad.utf8))
            #expect(await empty.api.respond(to: request)?.status == 400, "\(bad)")
        }
        #expect(try await empty.ask("/api/transform").header("Allow") == "POST, OPTIONS")
    }

    @Test func `what is not there says so in the envelope`() async throws {
        let api = try await APIUnderTest(shop)
        for target in ["/api/nothing", "/api", "/api/traces/1/2", "/api//", "/api/search"] {
            #expect(try await api.json(target, status: 404)["errors"][0]["code"] == 404, "\(target)")
        }
    }
}
