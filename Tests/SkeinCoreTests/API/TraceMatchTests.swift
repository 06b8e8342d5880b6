// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinStore
import Testing

/// Which spans of a trace match, by row of its skeleton.
struct TraceMatchTests {
    private static let path = "/api/skein/v1/traces/\(Shop.traceID)"

    /// The rows that a bitmap names.
    private static func rows(_ answer: JSONValue) throws -> [Int] {
        let bytes = try #require(Data(base64Encoded: answer["rows"].string ?? "?"))
        #expect(bytes.count == (Int(answer["spanCount"].int ?? -1) + 7) / 8)
        return (0..<bytes.count * 8).filter { bytes[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
    }

    /// The numbers of the spans that an answer names, by the skeleton's rows.
    private static func spans(_ api: APIUnderTest, _ question: String) async throws -> Set<Int> {
        let answer = try await api.json("\(path)/matches?\(question)")
        let skeleton = try await api.json("\(path)/skeleton")
        #expect(answer["spanCount"] == skeleton["spanCount"])
        let rows = try rows(answer)
        #expect(answer["matchedSpans"] == .int(Int64(rows.count)))
        return Set(rows.compactMap { skeleton["spans"]["id"][$0].string.flatMap { Int($0, radix: 16) } })
    }

    /// Rows of the skeleton are not in the order of the trace: the last one that starts is a child of the first.
    private static var spans: [SkeinModel.Span] {
        var rich = Shop.span(4, parent: 1, service: "stock", name: "réserve", kind: .client, at: 8_000_000)
        rich.resource = Shop.resource("stock", [Attribute("host.name", "Lübeck-7")])
        rich.scope = InstrumentationScope(name: "GRDB", version: "7.10", attributes: [Attribute("tier", "gold")])
        rich.attributes = [
            Attribute("db.query.text", "SELECT * FROM Items"), Attribute("a=b", "c=d"), Attribute("wide", 12345),
            Attribute("again", "abababac aabaabaaab"),
            Attribute("tags", .array(["red", "green"])),
        ]
        rich.links = [.init(traceID: Shop.traceID, spanID: SpanID(9), attributes: [Attribute("why", "batched")])]
        return Shop.order + [rich, Shop.span(5, at: 500_000)]
    }

    @Test(
        arguments: [
            ("place ORDER", [2]), ("PAYMENT", [3]), ("declined", [3]), ("Exception", [3]), ("carderror", [3]),
            ("exception.type=card", [3]), ("user.id", [3]), ("http.status_code=50", [3]), ("code=0", []),
            ("RÉSERVE", [4]), ("lübeck", [4]), ("LÜBECK", [4]), ("grdb", [4]), ("7.10", [4]), ("tier=GOLD", [4]),
            ("from items", [4]), ("text=select", [4]), ("a=b=c=d", [4]), ("b=c", [4]), ("=c=", [4]),
            ("ababac", [4]), ("abaabaaab", [4]), ("aabaaab", [4]), ("ababab ", []), ("aabaabaab", []),
            ("=", [1, 2, 3, 4, 5]),
            ("2345", [4]), ("green", [4]), ("batched", [4]), ("service.name=web", [1, 5]), ("nowhere", []),
        ] as [(String, Set<Int>)]
    )
    func `a text is found wherever it stands`(text: String, expected: Set<Int>) async throws {
        let api = try await APIUnderTest(Self.spans)
        #expect(try await Self.spans(api, "text=\(escaped(text))") == expected)
    }

    @Test(
        arguments: [
            ("{ }", [1, 2, 3, 4, 5]), ("error", [3]), ("service = web", [1, 5]), ("{ duration > 5ms }", [1, 2]),
            ("{ .user.id = \"abc123\" }", [3]), ("{ event:name = \"exception\" }", [3]),
            ("{ instrumentation:name = \"GRDB\" }", [4]), ("{ resource.host.name = \"Lübeck-7\" }", [4]),
            ("{ name = \"GET /checkout\" } > { }", [2, 4]), ("{ } >> { status = error }", [3]),
            ("{ kind = internal } &>> { kind = server }", [2, 3]), ("{ } | count() > 5", []),
            ("{ kind = server } | count() > 2", [1, 3, 5]), ("{ rootServiceName = \"web\" && kind = client }", [4]),
            ("{ } | by(resource.service.name) | count() > 1", [1, 5]),
        ] as [(String, Set<Int>)],
        StoreUnderTest.allCases
    )
    func `a query is asked of the one trace`(
        row: (query: String, expected: Set<Int>),
        store: StoreUnderTest
    ) async throws {
        let other = Shop.span(9, trace: TraceID(high: 1, low: 1), service: "web")
        let api = try await store.api(Self.spans + [other])
        #expect(try await Self.spans(api, "q=\(escaped(row.query))") == row.expected)
    }

    @Test func `a trace of several windows is one`() async throws {
        let batch = LargeTraceTests.batch(of: 10_100)
        let api = APIUnderTest(over: OneTraceStore(batch: batch))
        let rows = TraceTree(batch).batchRows
        // The route of a row is its number modulo 500.
        let expected = rows.indices.filter { rows[$0] % 500 == 77 }
        #expect(expected.count == 21 && expected != expected.sorted { rows[$0] < rows[$1] })
        for question in [
            "text=route%3D/A/77", "q=\(escaped("http.route = \"/a/77\""))",
            "q=\(escaped("{ .http.route = \"/a/77\" } | count() > 20"))",
        ] {
            let answer = try await api.json("\(Self.path)/matches?\(question)")
            #expect(answer["spanCount"] == 10_100)
            #expect(try Self.rows(answer) == expected)
        }
    }

    @Test(
        arguments: [
            ("", "q", "Neither"), ("q=&text=", "q", "Neither"), ("q=error&text=a", "text", "Each"),
            ("text=\(String(repeating: "a", count: 1025))", "text", "1024"),
            ("q=%7B%7D%7Crate()", "q", "counts spans"), ("q=%7B", "q", "Expected"),
        ]
    )
    func `what cannot be asked is said`(question: String, field: String, word: String) async throws {
        let answer = try await APIUnderTest(Self.spans).json("\(Self.path)/matches?\(question)", status: 400)
        #expect(answer["field"] == .string(field))
        #expect(answer["detail"].string?.localizedCaseInsensitiveContains(word) == true, "\(answer["detail"])")
    }

    @Test func `an unknown trace is none, and one that is too large is refused like its skeleton`() async throws {
        let unknown = try await APIUnderTest().json("\(Self.path)/matches?text=a", status: 404)
        #expect(unknown["code"] == "unknown-trace")
        let small = APIUnderTest(
            over: OneTraceStore(batch: LargeTraceTests.batch(of: 1_000)),
            answers: ByteBudget(limit: 100_000)
        )
        for question in ["text=a", "q=error", "q=%7B%7D%3E%7B%7D"] {
            let answer = try await small.json("\(Self.path)/matches?\(question)", status: 422)
            #expect(answer["code"] == "limit-exceeded")
        }
    }
}
