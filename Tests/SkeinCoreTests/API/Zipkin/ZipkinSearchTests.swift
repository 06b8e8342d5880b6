// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinStore
import Testing

/// Zipkin's search, by which conditions may hold on several spans.
struct ZipkinSearchTests {
    /// A call from the front to a shop, whose database is asked; and an older trace of the front alone.
    private var spans: [SkeinModel.Span] {
        var ask = Shop.span(3, parent: 2, service: "Shop", name: "SELECT", kind: .client, at: 2_000, lasting: 400_000)
        ask.attributes = [
            Attribute("db.name", "Orders"), Attribute("db.system", "postgresql"), Attribute("rows", 3),
        ]
        var serve = Shop.span(2, parent: 1, service: "Shop", name: "POST /order", at: 1_000, lasting: 2_000_000)
        serve.status = .init(.error, message: "sold out")
        serve.attributes = [Attribute("http.method", "POST"), Attribute("user.id", "abc")]
        serve.events = [.init(timeUnixNanos: Shop.start + 5_000, name: "retry")]
        serve.scope.name = "lib"
        var old = Shop.span(4, trace: TraceID(high: 0, low: 4), service: "front", name: "idle", lasting: 1_500)
        old.startUnixNanos = APIUnderTest.now - 7_200_000_000_000
        old.attributes = [Attribute("error", false)]
        return [
            Shop.span(1, service: "front", name: "GET /", kind: .client, lasting: 3_000_000), serve, ask, old,
        ]
    }

    private func found(_ api: APIUnderTest, _ query: String) async throws -> [String] {
        try await api.zipkinJSON("/api/v2/traces?\(query)").array.compactMap { $0[0]["traceId"].string }
    }

    private static let both = ["0af7651916cd43dd8448eb211c80319c", "0000000000000004"]
    private static let cases: [(String, [Int])] = [
        ("", [0, 1]), ("limit=1", [0]), ("serviceName=front", [0, 1]), ("serviceName=Front", [0, 1]),
        ("serviceName=shop", [0]), ("serviceName=nobody", []),
        ("spanName=post%20/order", [0]), ("spanName=POST+%2FORDER", [0]), ("spanName=all", [0, 1]),
        ("spanName=post", []), ("spanName=.*", []), ("serviceName=front&spanName=post%20/order", []),
        ("serviceName=shop&spanName=select", [0]),
        // Conditions may hold on several spans of the service.
        ("serviceName=shop&spanName=select&annotationQuery=error", [0]),
        ("serviceName=shop&annotationQuery=rows=3%20and%20http.method=POST", [0]),
        ("serviceName=front&annotationQuery=rows=3", []),
        ("annotationQuery=error", [0]), ("annotationQuery=error%20and%20http.method=GET", []),
        ("annotationQuery=error%20and%20http.method=POST", [0]), ("annotationQuery=error=sold%20out", [0]),
        ("annotationQuery=error=false", [1]), ("annotationQuery=user.id", [0]), ("annotationQuery=user.id=", [0]),
        ("annotationQuery=user.id=abc%20and%20user.id", [0]), ("annotationQuery=user.id=ab", []),
        ("annotationQuery=retry", [0]), ("annotationQuery=Retry", []), ("annotationQuery=rows=03", []),
        ("annotationQuery=otel.status_code=ERROR", [0]), ("annotationQuery=otel.status_code", [0]),
        ("annotationQuery=otel.library.name=lib", [0]), ("annotationQuery=otel.scope.name", [0]),
        ("annotationQuery=nothing", []), ("annotationQuery=", [0, 1]), ("annotationQuery=%20and%20", [0, 1]),
        ("remoteServiceName=orders", [0]), ("remoteServiceName=ORDERS&serviceName=shop", [0]),
        ("remoteServiceName=orders&serviceName=front", []), ("remoteServiceName=postgresql", [0]),
        // Who answers is known where no attribute says who is called.
        ("remoteServiceName=shop", [0]), ("remoteServiceName=shop&serviceName=front", [0]),
        ("remoteServiceName=front", []), ("remoteServiceName=shop&serviceName=shop", []),
        ("minDuration=1", [0, 1]), ("minDuration=2", [0]), ("minDuration=2000&maxDuration=2000", [0]),
        ("minDuration=1&maxDuration=1", [1]), ("minDuration=3001", []), ("serviceName=shop&minDuration=3000", []),
        ("minDuration=9223372036854775807", []), ("minDuration=1&maxDuration=9223372036854775807", [0, 1]),
        ("lookback=3600000", [0]), ("lookback=60000", []), ("serviceName=front&lookback=3600000", [0]),
        ("serviceName=front&endTs=1795338000000", [1]), ("endTs=1795338000000", [1]),
        ("serviceName=front&endTs=1795341000000&lookback=1", [0]),
        ("serviceName=front&endTs=1795340999999&lookback=1", []),
        ("endTs=9223372036854775807&lookback=9223372036854775807", [0, 1]),
        ("serviceName=front&endTs=1", []), ("serviceName=front&limit=1&lookback=86400000", [0]),
    ]

    @Test(arguments: StoreUnderTest.allCases)
    func `a search finds`(_ store: StoreUnderTest) async throws {
        let api = try await store.api(spans)
        for (query, wanted) in Self.cases {
            #expect(try await found(api, query) == wanted.map { Self.both[$0] }, "\(query)")
        }
    }

    @Test func `what matches may start long after its trace, and the trace's start decides`() async throws {
        var late = Shop.span(2, parent: 1, service: "late", name: "end")
        late.startUnixNanos = APIUnderTest.now - 1_000_000_000
        let api = try await APIUnderTest([Shop.span(1), late])
        let millis = Shop.start / 1_000_000
        #expect(try await found(api, "serviceName=late&endTs=\(millis)&lookback=1000").count == 1)
        #expect(try await found(api, "serviceName=late&lookback=60000").isEmpty)
    }

    @Test func `traces are newest first, as many as asked for`() async throws {
        let spans = (UInt64(1)...20).map { Shop.span(1, trace: TraceID(high: 0, low: $0), at: $0 * 1000) }
        let api = try await APIUnderTest(spans)
        #expect(try await found(api, "serviceName=web&limit=2") == ["0000000000000014", "0000000000000013"])
        #expect(try await found(api, "").count == 10)
        #expect(try await found(api, "limit=10000").count == 20)
    }

    @Test(
        arguments: [
            ("traces?limit=0", "limit <= 0"), ("traces?limit=-1", "limit <= 0"), ("traces?endTs=0", "endTs <= 0"),
            ("traces?limit=10001", "limit > 10000"), ("traces?lookback=0", "lookback <= 0"),
            ("traces?minDuration=0", "minDuration <= 0"),
            ("traces?minDuration=2&maxDuration=1", "maxDuration < minDuration"),
            ("traces?maxDuration=1", "maxDuration is only valid with minDuration"),
            ("traces?limit=many", #"limit is "many", a whole number is expected"#),
            ("spans", "the parameter serviceName is required"),
            ("remoteServices?serviceName=", "the parameter serviceName is required"),
            ("autocompleteValues", "the parameter key is required"),
            ("dependencies", "the parameter endTs is required"), ("dependencies?endTs=0", "endTs <= 0"),
            ("dependencies?endTs=1&lookback=-1", "lookback <= 0"),
            ("traceMany", "traceIds parameter is empty"), ("traceMany?traceIds=", "traceIds parameter is empty"),
            ("traceMany?traceIds=1", "Use /api/v2/trace/{traceId} endpoint to retrieve a single trace"),
            ("traceMany?traceIds=1,2,0000000000000001", "redundant traceId: 0000000000000001"),
            ("traceMany?traceIds=1,xyz", "xyz should be lower-hex encoded with no prefix"),
            ("traceMany?traceIds=1,", "traceId is empty"), ("trace/0", "traceId is all zeros"),
            ("trace/0e8b-1", "0e8b-1 should be lower-hex encoded with no prefix"),
            ("trace/000000000000000000000000000000001", "traceId.length > 32"),
        ]
    )
    func `what is asked wrongly is said in plain text`(target: String, message: String) async throws {
        #expect(try await APIUnderTest(spans).zipkin("/api/v2/\(target)", status: 400) == message)
    }

    @Test func `several traces come by their ids, those that are there`() async throws {
        let api = try await APIUnderTest(spans)
        let many = try await api.zipkinJSON("/api/v2/traceMany?traceIds=4,beef,\(Shop.traceID)")
        #expect(many.array.map { $0.array.count } == [1, 3])
        #expect(many[0][0]["traceId"] == "0000000000000004")
        #expect(try await api.zipkin("/api/v2/traceMany?traceIds=1,2") == "[]")
        #expect(try await api.zipkin("/api/v2/trace/beef", status: 404) == "000000000000beef not found")
        let long = "0000000000000000000000000000beef"
        #expect(try await api.zipkin("/api/v2/trace/\(long)", status: 404) == "\(long) not found")
    }

    @Test(arguments: StoreUnderTest.allCases)
    func `ids are compared whole, or by their lower half where the settings say so`(_ kind: StoreUnderTest) async throws
    {
        let cut = Shop.span(9, parent: 1, trace: TraceID(high: 0, low: Shop.traceID.low), service: "cut", at: 1)
        var under = try await kind.api(spans + [cut])
        let half = String("\(Shop.traceID)".suffix(16))
        #expect(try await under.zipkinJSON("/api/v2/trace/\(Shop.traceID)").array.count == 3)
        #expect(try await under.zipkinJSON("/api/v2/trace/\(half)").array.count == 1)
        #expect(try await found(under, "").count == 3)

        var settings = ZipkinSettings()
        settings.strictTraceID = false
        under = APIUnderTest(over: under.store, zipkin: settings)
        for id in ["\(Shop.traceID)", half, "ffffffffffffffff\(half)"] {
            let shown = try await under.zipkinJSON("/api/v2/trace/\(id)").array
            #expect(Set(shown.map { $0["id"] }).count == 4, "\(id)")
        }
        let traces = try await under.zipkinJSON("/api/v2/traces").array
        #expect(traces.map { $0.array.count } == [4, 1])
        #expect(try await under.zipkin("/api/v2/trace/beef", status: 404) == "000000000000beef not found")
    }

    @Test func `a trace that is too large for an answer does not hide the others`() async throws {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: spans, receivedUnixNanos: 1))
        let api = APIUnderTest(over: store, traceSpanCountMax: 2)
        #expect(try await found(api, "") == ["0000000000000004"])
        #expect(await api.askZipkin("/api/v2/traces?serviceName=shop").status == 422)
        #expect(await api.askZipkin("/api/v2/trace/\(Shop.traceID)").status == 422)
    }

    @Test func `answers that take more than their memory say how many to ask for`() async throws {
        let store = MemoryStore()
        for number in UInt64(1)...4 {
            var span = Shop.span(number, trace: TraceID(high: 0, low: number), at: number)
            span.attributes = [Attribute("a", .string(String(repeating: "x", count: 300_000)))]
            try await store.append(SpanBatch(spans: [span], receivedUnixNanos: 1))
        }
        let api = APIUnderTest(over: store, answers: ByteBudget(limit: 2_000_000))
        let text = try await api.zipkin("/api/v2/traces", status: 422)
        #expect(
            text.hasSuffix("lower limit to 2") || text.hasSuffix("lower limit to 1")
                || text.hasSuffix("lower limit to 3")
        )
    }
}
