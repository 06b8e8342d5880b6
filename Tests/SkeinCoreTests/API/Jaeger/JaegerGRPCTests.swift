// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire
import Synchronization
import Testing

/// Jaeger's gRPC services, message by message.
struct JaegerGRPCTests {
    /// The messages that a method answers.
    private func ask(
        _ api: APIUnderTest,
        _ path: String,
        _ message: [UInt8] = []
    ) async throws -> [ProtobufMessage] {
        let services: [any APIStreamService] = [JaegerQueryService(api.api), JaegerV3QueryService(api.api)]
        let answer = try #require(services.lazy.compactMap { $0.call("/jaeger.\(path)", message) }.first)
        let sent = Mutex<[[UInt8]]>([])
        try await answer.run { message in sent.withLock { $0.append(message) } }
        return try sent.withLock { $0 }.map { try ProtobufMessage($0) }
    }

    /// The status with which a method fails.
    private func status(_ api: APIUnderTest, _ path: String, _ message: [UInt8] = []) async throws -> APIStreamStatus? {
        do {
            _ = try await ask(api, path, message)
            return nil
        } catch let status as APIStreamStatus {
            return status
        }
    }

    private func message(_ fields: (inout ByteWriter) -> Void) -> [UInt8] {
        var out = ByteWriter()
        fields(&out)
        return out.array()
    }

    private func bytes(_ id: TraceID) -> [UInt8] {
        withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { Array($0) }
    }

    private func trace(_ id: [UInt8], raw: Bool = false) -> [UInt8] {
        message { out in
            id.withUnsafeBytes { out.appendField(1, bytes: $0) }
            out.appendField(4, varint: raw ? 1 : 0)
        }
    }

    /// A search over the hour before now, with further fields of its query.
    private func find(times: Bool = true, _ fields: (inout ByteWriter) -> Void = { _ in }) -> [UInt8] {
        message { out in
            out.appendMessage(1) { out in
                if times {
                    out.appendMessage(4) { $0.appendField(1, varint: APIUnderTest.now / 1_000_000_000 - 3600) }
                    out.appendMessage(5) { $0.appendField(1, varint: APIUnderTest.now / 1_000_000_000) }
                }
                fields(&out)
            }
        }
    }

    // MARK: Version 2

    @Test func `a span has the fields of the model, its process among them`() async throws {
        var span = Shop.order[2]
        span.startUnixNanos += 7
        span.flags = 0x101
        span.links = [.init(traceID: TraceID(high: 0, low: 5), spanID: SpanID(6))]
        span.attributes += [
            Attribute("b", true), Attribute("d", 0.5), Attribute("i", .int(-1)), Attribute("l", [1, "a"]),
            Attribute("z", .bytes([0, 255])),
        ]
        span.resource.attributes.append(Attribute("host.name", "h1"))
        let api = try await APIUnderTest([span])
        let chunks = try await ask(api, "api_v2.QueryService/GetTrace", trace(bytes(Shop.traceID)))
        let shown = try #require(chunks.first?.messages(1).first)
        #expect(
            chunks.count == 1
                && shown.numbers == [1, 2, 3, 4, 4, 5, 6, 7] + Array(repeating: 8, count: 11) + [9, 10, 12]
        )
        #expect(shown.fields[0].value == .bytes(bytes(Shop.traceID)))
        #expect(shown.fields[1].value == .bytes([0, 0, 0, 0, 0, 0, 0, 3]))
        #expect(shown.text(3) == "charge" && shown.number(5) == 1)
        let (parent, link) = (shown.messages(4)[0], shown.messages(4)[1])
        #expect(parent.numbers == [1, 2] && parent.fields[1].value == .bytes([0, 0, 0, 0, 0, 0, 0, 2]))
        #expect(link.number(3) == 1 && link.fields[0].value == .bytes(bytes(TraceID(high: 0, low: 5))))
        #expect(shown.messages(6)[0].number(1) == span.startUnixNanos / 1_000_000_000)
        #expect(shown.messages(6)[0].number(2) == 2_000_007)
        #expect(shown.messages(7)[0].numbers == [2] && shown.messages(7)[0].number(2) == 3_000_000)

        let tags = Dictionary(uniqueKeysWithValues: shown.messages(8).map { ($0.text(1) ?? "", $0) })
        #expect(tags["user.id"]?.text(3) == "abc123" && tags["user.id"]?.number(2) == nil)
        #expect(tags["error"]?.number(2) == 1 && tags["error"]?.number(4) == 1)
        #expect(tags["http.status_code"]?.number(2) == 2 && tags["http.status_code"]?.number(5) == 500)
        #expect(tags["i"]?.number(5) == .max)
        #expect(tags["d"]?.number(2) == 3 && tags["d"]?.double(6) == 0.5)
        #expect(tags["z"]?.number(2) == 4 && tags["z"]?.fields.last?.value == .bytes([0, 255]))
        #expect(tags["l"]?.text(3) == #"[1,"a"]"# && tags["span.kind"]?.text(3) == "server")
        #expect(shown.messages(8).compactMap { $0.text(1) }.sorted() == shown.messages(8).compactMap { $0.text(1) })

        let log = shown.messages(9)[0]
        #expect(log.messages(1)[0].number(2) == 3_000_000)
        #expect(log.messages(2).map { $0.text(1) } == ["event", "exception.type"])
        #expect(log.messages(2).map { $0.text(3) } == ["exception", "CardError"])
        let process = shown.messages(10)[0]
        #expect(process.text(1) == "payment" && process.messages(2).map { $0.text(1) } == ["host.name"])
        #expect(shown.text(12) == "parent span 0000000000000002 is not in this trace (yet)")
    }

    @Test func `a trace comes in chunks of ten spans, or of a megabyte`() async throws {
        let small = (UInt64(1)...25).map { Shop.span($0, at: $0) }
        var large = (UInt64(1)...3).map { Shop.span($0, trace: TraceID(high: 0, low: 9), at: $0) }
        for index in large.indices {
            large[index].attributes = [Attribute("a", .string(String(repeating: "x", count: 700_000)))]
        }
        let api = try await APIUnderTest(small + large)
        let chunks = try await ask(api, "api_v2.QueryService/GetTrace", trace(bytes(Shop.traceID)))
        #expect(chunks.map { $0.messages(1).count } == [10, 10, 5])
        // Eight bytes are an id of 64 bits.
        let short = try await ask(api, "api_v2.QueryService/GetTrace", trace([0, 0, 0, 0, 0, 0, 0, 9]))
        #expect(short.map { $0.messages(1).count } == [1, 1, 1])
        let third = try await ask(api, "api_v3.QueryService/GetTrace", trace(Array("9".utf8)))
        #expect(third.count == 3)
    }

    @Test func `a search finds what its conditions say, and all of time without a range`() async throws {
        let api = try await APIUnderTest(Shop.order + [Shop.span(9, trace: TraceID(high: 0, low: 9), at: 1)])
        let path = "api_v2.QueryService/FindTraces"
        for (count, request) in [
            (4, find(times: false)), (4, find()), (3, find { $0.appendField(1, text: "payment") }),
            (0, find { $0.appendField(1, text: "nobody") }), (3, find { $0.appendField(2, text: "charge") }),
            (1, find { $0.appendField(2, text: "GET /") }), (1, find { $0.appendField(8, varint: 1) }),
            (
                3,
                find { out in
                    out.appendMessage(3) { out in
                        out.appendField(1, text: "user.id")
                        out.appendField(2, text: "abc123")
                    }
                    out.appendMessage(6) { $0.appendField(2, varint: 3_000_000) }
                    out.appendMessage(7) { $0.appendField(2, varint: 3_000_000) }
                }
            ),
            (0, find { out in out.appendMessage(6) { $0.appendField(1, varint: 10) } }),
            // Times before 1970, which Go's clients send when they have none.
            (
                4,
                find(times: false) { out in
                    for number in [4, 5] as [UInt64] {
                        out.appendMessage(number) { $0.appendField(1, varint: UInt64(bitPattern: -62_135_596_800)) }
                    }
                }
            ),
        ] {
            let chunks = try await ask(api, path, request)
            #expect(chunks.reduce(0) { $0 + $1.messages(1).count } == count)
        }
    }

    @Test func `names, archive and dependencies are single messages`() async throws {
        let api = try await APIUnderTest(
            Shop.order + [Shop.span(4, name: "GET /", kind: .client), Shop.span(5, kind: .unspecified)]
        )
        let services = try await ask(api, "api_v2.QueryService/GetServices")
        #expect(services.map { $0.texts(1) } == [["checkout", "payment", "web"]])
        let web = message { $0.appendField(1, text: "web") }
        let operations = try await ask(api, "api_v2.QueryService/GetOperations", web)[0]
        #expect(operations.texts(1) == ["GET /", "GET /checkout"])
        #expect(
            operations.messages(2).map { [$0.text(1), $0.text(2)] } == [
                ["GET /", nil], ["GET /", "client"], ["GET /checkout", "server"],
            ]
        )
        let clients = message { out in
            out.appendField(1, text: "web")
            out.appendField(2, text: "client")
        }
        #expect(try await ask(api, "api_v2.QueryService/GetOperations", clients)[0].texts(1) == ["GET /"])
        let archived = try await ask(api, "api_v2.QueryService/ArchiveTrace", trace(bytes(Shop.traceID)))
        #expect(archived.map(\.numbers) == [[]])
        let range = message { out in
            out.appendMessage(1) { $0.appendField(1, varint: APIUnderTest.now / 1_000_000_000 - 3600) }
            out.appendMessage(2) { $0.appendField(1, varint: APIUnderTest.now / 1_000_000_000) }
        }
        for version in ["api_v2", "api_v3"] {
            let calls = try await ask(api, "\(version).QueryService/GetDependencies", range)[0].messages(1)
            #expect(calls.map { [$0.text(1), $0.text(2)] } == [["checkout", "payment"], ["web", "checkout"]])
            #expect(calls.map { $0.number(3) } == [1, 1])
        }
    }

    // MARK: Version 3

    @Test func `traces are OTLP's, several messages long where they are large`() async throws {
        var spans = (UInt64(1)...1200).map { Shop.span($0, at: $0) }
        spans[3].attributes = [Attribute("big", .string(String(repeating: "x", count: 1_200_000)))]
        let api = try await APIUnderTest(spans)
        let chunks = try await ask(api, "api_v3.QueryService/GetTrace", trace(Array("\(Shop.traceID)".utf8)))
        let ids = chunks.flatMap { $0.messages(1) }.flatMap { $0.messages(2) }.flatMap { $0.messages(2) }
            .map { $0.fields[1].value }
        #expect(ids.count == 1200 && Set(ids.map { "\($0)" }).count == 1200)
        #expect(chunks.count > 3)
        let found = try await ask(api, "api_v3.QueryService/FindTraces", find { $0.appendField(1, text: "web") })
        #expect(found == chunks)
    }

    @Test func `summaries have hexadecimal ids, fixed times and counts`() async throws {
        let api = try await APIUnderTest(Shop.order + [Shop.span(9, parent: 77, at: 1)])
        let answer = try await ask(api, "api_v3.QueryService/FindTraceSummaries", find())
        let summary = try #require(answer.first?.messages(1).first)
        #expect(summary.text(1) == "\(Shop.traceID)" && summary.text(2) == "web" && summary.text(3) == "GET /checkout")
        #expect(summary.number(4) == Shop.start && summary.number(5) == Shop.start + 9_000_000)
        #expect([6, 7, 8].map { summary.number($0) } == [4, 1, 1])
        #expect(summary.messages(9).map { $0.text(1) } == ["checkout", "payment", "web"])
        #expect(summary.messages(9).map { $0.number(2) } == [1, 1, 2])
        #expect(summary.messages(9).map { $0.number(3) } == [nil, 1, nil])
        #expect(
            try await ask(api, "api_v3.QueryService/FindTraceSummaries", find { $0.appendField(1, text: "x") }) == []
        )
        let many = (UInt64(1)...250).map { Shop.span(1, trace: TraceID(high: 0, low: $0)) }
        let messages = try await ask(
            try await APIUnderTest(many),
            "api_v3.QueryService/FindTraceSummaries",
            find { $0.appendField(8, varint: 1000) }
        )
        #expect(messages.map { $0.messages(1).count } == [100, 100, 50])
    }

    @Test func `names are single messages here too, and capabilities are told`() async throws {
        let api = try await APIUnderTest([Shop.span(1, kind: .unspecified)])
        #expect(try await ask(api, "api_v3.QueryService/GetServices").map { $0.texts(1) } == [["web"]])
        let request = message { $0.appendField(1, text: "web") }
        let operations = try await ask(api, "api_v3.QueryService/GetOperations", request)[0].messages(1)
        #expect(operations.map { [$0.text(1), $0.text(2)] } == [["GET /", "internal"]])
        let search = try await ask(api, "api_v3.Capabilities/GetCapabilities")[0].messages(1)[0]
        #expect(search.number(1) == 1 && search.number(2) == 1 && search.numbers == [1, 2])
    }

    // MARK: Failures

    @Test func `what is not there, and what cannot be read, is a status`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let filter = find { out in out.appendMessage(10) { $0.appendField(1, text: "eq") } }
        let backwards = message { out in
            out.appendMessage(1) { out in
                out.appendMessage(4) { $0.appendField(1, varint: 9) }
                out.appendMessage(5) { $0.appendField(1, varint: 8) }
            }
        }
        let table: [(String, [UInt8], APIStreamStatus.Code, String)] = [
            ("api_v2.QueryService/GetTrace", trace(bytes(TraceID(high: 1, low: 1))), .notFound, "trace not found"),
            ("api_v3.QueryService/GetTrace", trace(Array("ab".utf8)), .notFound, "trace not found"),
            ("api_v2.QueryService/ArchiveTrace", trace([0, 0, 0, 0, 0, 0, 0, 1]), .notFound, "trace not found"),
            ("api_v2.QueryService/GetTrace", [], .invalidArgument, "uninitialized TraceID is not allowed"),
            (
                "api_v2.QueryService/GetTrace", trace([UInt8](repeating: 0, count: 16)), .invalidArgument,
                "uninitialized TraceID is not allowed"
            ),
            (
                "api_v2.QueryService/GetTrace", trace([1, 2, 3]), .invalidArgument,
                "trace_id has 3 bytes, expected 16 bytes, or 8"
            ),
            (
                "api_v3.QueryService/GetTrace", trace(Array("xyz".utf8)), .invalidArgument,
                "trace_id has 3 characters, expected 16 or 32 hexadecimal digits"
            ),
            ("api_v2.QueryService/FindTraces", [], .invalidArgument, "missing query"),
            (
                "api_v3.QueryService/FindTraces", find(times: false), .invalidArgument,
                "start time min and max are required parameters"
            ),
            (
                "api_v3.QueryService/FindTraceSummaries", backwards, .invalidArgument,
                "startTimeMin must be before startTimeMax"
            ),
            (
                "api_v3.QueryService/FindTraces", find { $0.appendField(8, varint: UInt64(bitPattern: -1)) },
                .invalidArgument, "searchDepth is -1, it takes 1 to 10000"
            ),
            (
                "api_v3.QueryService/FindTraces", filter, .unimplemented,
                "structured filters (filter) are not served: use serviceName, operationName, attributes and durations, or "
                    + "TraceQL at /api/skein/v1/search"
            ),
            ("api_v2.QueryService/GetOperations", [], .invalidArgument, "parameter 'service' is required"),
            ("api_v2.QueryService/GetDependencies", [], .invalidArgument, "start_time and end_time are required"),
        ]
        for (path, request, code, text) in table {
            let status = try await status(api, path, request)
            #expect(status?.code == code && status?.message == text, "\(path)")
        }
    }

    @Test func `a method that is not served is nobody's`() async throws {
        let api = try await APIUnderTest().api
        for path in [
            "/jaeger.api_v2.QueryService/Nothing", "/jaeger.api_v2.Other/GetTrace", "/", "",
            "/tempopb.StreamingQuerier/Search", "/jaeger.api_v3.QueryService/ArchiveTrace",
        ] {
            #expect(JaegerQueryService(api).call(path, []) == nil, "\(path)")
            #expect(JaegerV3QueryService(api).call(path, []) == nil, "\(path)")
        }
    }

    @Test func `any bytes are answered or refused, and never more than that`() async throws {
        let api = try await APIUnderTest(Shop.order)
        var random = SeededRandom(seed: 5)
        let samples = [
            find { $0.appendField(1, text: "web") }, trace(bytes(Shop.traceID)), [0x0a, 0xff, 0xff, 0xff, 0xff],
        ]
        for _ in 0..<500 {
            var bytes = samples[Int(random.next() % 3)]
            for _ in 0...(random.next() % 3) where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            for path in [
                "api_v2.QueryService/GetTrace", "api_v2.QueryService/FindTraces", "api_v3.QueryService/GetTrace",
                "api_v3.QueryService/FindTraceSummaries", "api_v2.QueryService/GetOperations",
                "api_v3.QueryService/GetDependencies",
            ] {
                let status = try await status(api, path, bytes)
                #expect(
                    status == nil || status?.code == .invalidArgument || status?.code == .notFound
                        || status?.code == .unimplemented
                )
            }
        }
    }

    @Test func `who hangs up is not asked again`() async throws {
        struct HungUp: Error {}
        let api = try await APIUnderTest((UInt64(1)...25).map { Shop.span($0, at: $0) })
        let answer = try #require(
            JaegerQueryService(api.api).call("/jaeger.api_v2.QueryService/GetTrace", trace(bytes(Shop.traceID)))
        )
        let count = Mutex(0)
        await #expect(throws: HungUp.self) {
            try await answer.run { _ in
                count.withLock { $0 += 1 }
                throw HungUp()
            }
        }
        #expect(count.withLock { $0 } == 1)
    }
}
