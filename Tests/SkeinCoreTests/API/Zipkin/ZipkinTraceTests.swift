// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// One trace as Zipkin's spans, trap by trap.
struct ZipkinTraceTests {
    /// The spans of the one trace of an API over these spans.
    private func spans(_ spans: [SkeinModel.Span]) async throws -> [JSONValue] {
        let api = try await APIUnderTest(spans)
        return try await api.zipkinJSON("/api/v2/trace/\(spans[0].traceID)").array
    }

    private func span(_ attributes: [Attribute], kind: SkeinModel.Span.Kind = .client) -> SkeinModel.Span {
        var span = Shop.span(1, kind: kind)
        span.attributes = attributes
        return span
    }

    @Test func `a small trace reads as Zipkin writes it`() async throws {
        var charge = Shop.order[2]
        charge.parentSpanID = SpanID(1)
        charge.name = "POST /Charge"
        charge.resource = Shop.resource("Payment", [Attribute("host.name", "h1")])
        charge.scope = InstrumentationScope(name: "lib", version: "2")
        let api = try await APIUnderTest([Shop.order[0], charge])
        #expect(
            try await api.zipkin("/api/v2/trace/\(Shop.traceID)") == """
                [{"traceId":"0af7651916cd43dd8448eb211c80319c","id":"0000000000000001","kind":"SERVER",\
                "name":"get /checkout","timestamp":1795341000000000,"duration":9000,\
                "localEndpoint":{"serviceName":"web"}},\
                {"traceId":"0af7651916cd43dd8448eb211c80319c","parentId":"0000000000000001","id":"0000000000000003",\
                "kind":"SERVER","name":"post /charge","timestamp":1795341000002000,"duration":3000,\
                "localEndpoint":{"serviceName":"payment"},\
                "annotations":[{"timestamp":1795341000003000,\
                "value":"\\"exception\\":{\\"exception.type\\":\\"CardError\\"}"}],\
                "tags":{"error":"card declined","host.name":"h1","http.status_code":"500","otel.library.name":"lib",\
                "otel.library.version":"2","otel.scope.name":"lib","otel.scope.version":"2",\
                "otel.status_code":"ERROR","user.id":"abc123"}}]
                """
        )
        // The names are as they came everywhere else.
        #expect(try await api.json("/api/services")["data"] == ["Payment", "web"])
    }

    @Test func `internal spans and those of no kind have none`() async throws {
        for (kind, word) in [
            (SkeinModel.Span.Kind.unspecified, nil), (.internal, nil), (.server, "SERVER"), (.client, "CLIENT"),
            (.producer, "PRODUCER"), (.consumer, "CONSUMER"),
        ] as [(SkeinModel.Span.Kind, String?)] {
            #expect(try await spans([span([], kind: kind)])[0]["kind"].string == word)
        }
    }

    @Test(
        arguments: [
            (
                [Attribute("peer.service", "Maps"), Attribute("server.address", "maps.example")],
                ["serviceName": "maps"]
            ),
            (
                [Attribute("net.peer.name", "old.example"), Attribute("server.address", "Maps.example")],
                ["serviceName": "maps.example"]
            ),
            (
                [Attribute("server.address", "10.1.2.3"), Attribute("server.port", 8080)],
                ["ipv4": "10.1.2.3", "port": 8080]
            ),
            (
                [
                    Attribute("peer.service", "db"), Attribute("network.peer.address", "::1"),
                    Attribute("network.peer.port", 5432),
                ],
                ["serviceName": "db", "ipv6": "::1", "port": 5432]
            ),
            ([Attribute("net.sock.peer.addr", "192.168.0.9")], ["ipv4": "192.168.0.9"]),
            ([Attribute("net.peer.name", "db"), Attribute("net.peer.port", "99999")], ["serviceName": "db"]),
            ([Attribute("db.name", "orders")], ["serviceName": "orders"]),
            ([Attribute("peer.address", "300.1.1.1")], ["serviceName": "300.1.1.1"]),
            ([Attribute("http.url", "x")], nil),
        ] as [([Attribute], JSONValue)]
    )
    func `a caller's attributes say what it calls, the better ones first`(
        attributes: [Attribute],
        endpoint: JSONValue
    ) async throws {
        for kind in [SkeinModel.Span.Kind.client, .producer] {
            #expect(try await spans([span(attributes, kind: kind)])[0]["remoteEndpoint"] == endpoint)
        }
    }

    @Test func `a server's other end is only what says that it is a peer`() async throws {
        let own = [Attribute("server.address", "me.example"), Attribute("net.peer.name", "me")]
        #expect(try await spans([span(own, kind: .server)])[0]["remoteEndpoint"] == nil)
        let peer =
            own + [
                Attribute("peer.service", "Front"), Attribute("net.peer.ip", "1.2.3.4"), Attribute("net.peer.port", 80),
            ]
        #expect(
            try await spans([span(peer, kind: .server)])[0]["remoteEndpoint"]
                == ["serviceName": "front", "ipv4": "1.2.3.4", "port": 80]
        )
        let here = [Attribute("net.host.ip", "10.0.0.1"), Attribute("net.host.port", 9000)]
        #expect(
            try await spans([span(here, kind: .server)])[0]["localEndpoint"]
                == ["serviceName": "web", "ipv4": "10.0.0.1", "port": 9000]
        )
    }

    @Test func `tags are texts, and of equal keys the span's counts`() async throws {
        var span = span([
            Attribute("b", true), Attribute("d", 2.0), Attribute("host.name", "span"), Attribute("i", .int(.max)),
            Attribute("l", [1, "a"]), Attribute("m", .map([Attribute("k", false)])), Attribute("n", .null),
            Attribute("x", .bytes([0xff, 0])),
        ])
        span.resource = Shop.resource("web", [Attribute("host.name", "resource"), Attribute("pod", "p")])
        span.traceState = "vendor=1"
        span.droppedAttributesCount = 2
        span.droppedEventsCount = 3
        span.droppedLinksCount = 4
        span.status = .init(.ok)
        #expect(
            try await spans([span])[0]["tags"] == [
                "b": "true", "d": "2.0", "host.name": "span", "i": "9223372036854775807", "l": #"[1,"a"]"#,
                "m": #"{"k":false}"#, "n": "", "otel.dropped_attributes_count": "2",
                "otel.dropped_events_count": "3", "otel.dropped_links_count": "4", "otel.status_code": "OK",
                "pod": "p", "w3c.tracestate": "vendor=1", "x": "/wA=",
            ]
        )
    }

    @Test(
        arguments: [
            (SkeinModel.Span.Status(), [], nil), (.init(.error), [], ""), (.init(.error, message: "bad"), [], "bad"),
            (.init(.error), [Attribute("error", "timeout")], "timeout"),
            (.init(.error, message: "bad"), [Attribute("error", "timeout")], "bad"),
            (.init(.error), [Attribute("error", false)], ""), (.init(), [Attribute("error", false)], nil),
            (.init(), [Attribute("error", "false")], nil), (.init(.ok), [Attribute("error", true)], "true"),
        ] as [(SkeinModel.Span.Status, [Attribute], JSONValue)]
    )
    func `an error tag says that the span failed, and none says that it did not`(
        status: SkeinModel.Span.Status,
        attributes: [Attribute],
        tag: JSONValue
    ) async throws {
        var span = span(attributes)
        span.status = status
        #expect(try await spans([span])[0]["tags"]["error"] == tag)
    }

    @Test func `ids of 64 bits have 16 digits, others 32`() async throws {
        let short = Shop.span(1, trace: TraceID(high: 0, low: 0xab))
        let api = try await APIUnderTest([short] + Shop.order)
        for form in ["ab", "00000000000000ab", "00000000000000AB", "000000000000000000000000000000ab"] {
            #expect(try await api.zipkinJSON("/api/v2/trace/\(form)")[0]["traceId"] == "00000000000000ab", "\(form)")
        }
        #expect(
            try await api.zipkinJSON("/api/v2/trace/\(Shop.traceID)")[0]["traceId"]
                == "0af7651916cd43dd8448eb211c80319c"
        )
    }

    @Test func `client and server that share an id both come, the server marked`() async throws {
        let shown = try await spans([
            Shop.span(1, name: "call", kind: .client), Shop.span(1, service: "db", name: "serve", at: 1),
            Shop.span(2, parent: 1, service: "db", kind: .internal, at: 2),
        ])
        #expect(shown.map { $0["id"] } == ["0000000000000001", "0000000000000001", "0000000000000002"])
        #expect(shown.map { $0["shared"] } == [nil, true, nil])
        #expect(shown.map { $0["parentId"] } == [nil, nil, "0000000000000001"])
    }

    @Test func `where parents run in a circle the first span has none`() async throws {
        let spans = [
            Shop.span(1, parent: 3), Shop.span(2, parent: 1, at: 1), Shop.span(3, parent: 2, at: 2),
            Shop.span(4, parent: 4, at: 3), Shop.span(5, parent: 4, at: 4),
        ]
        #expect(try await self.spans(spans).map { $0["parentId"] == nil } == [true, false, false, true, false])
    }

    @Test func `times are whole microseconds, durations at least one, annotations in order`() async throws {
        var span = Shop.span(1, lasting: 999)
        span.startUnixNanos = 1_999
        span.events = [
            .init(timeUnixNanos: 5_999, name: "b"), .init(timeUnixNanos: 4_000, name: "a"),
            .init(timeUnixNanos: 5_000, name: "c \"q\"", attributes: [Attribute("k\n", 1)]),
        ]
        var other = Shop.span(2)
        other.startUnixNanos = .max
        other.durationNanos = 0
        let shown = try await spans([span, other])
        #expect(shown[0]["timestamp"] == 1 && shown[0]["duration"] == 1)
        #expect(
            shown[0]["annotations"] == [
                ["timestamp": 4, "value": "a"], ["timestamp": 5, "value": #""c \"q\"":{"k\n":1}"#],
                ["timestamp": 5, "value": "b"],
            ]
        )
        #expect(shown[1]["timestamp"] == 18_446_744_073_709_551 && shown[1]["duration"] == 1)
    }

    @Test func `a service without a name is called as OpenTelemetry would`() async throws {
        var span = Shop.span(1)
        span.resource = Resource()
        span.name = ""
        let shown = try await spans([span])[0]
        #expect(shown["localEndpoint"] == ["serviceName": "unknown_service"])
        #expect(!shown.keys.contains("name"))
    }
}
