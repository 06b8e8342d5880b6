// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire
import Testing

@testable import SkeinAPI

/// Searches as Grafana's Tempo data source makes them.
struct TempoSearchTests {
    private func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    /// The ids of the spans that a query finds, by trace.
    private func found(_ api: APIUnderTest, _ query: String, _ more: String = "") async throws -> [[String]] {
        try await api.tempoJSON("/api/search?spss=100&q=\(encoded(query))\(more)")["traces"].array.map { trace in
            trace["spanSets"].array.flatMap { $0["spans"].array.map { $0["spanID"].string ?? "" } }
        }
    }

    @Test func `a trace is found with its matched spans`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let query = "{ span.http.status_code >= 500 && status = error } | select(resource.service.name, .user.id)"
        #expect(
            try await api.tempo("/api/search?q=\(encoded(query))") == """
                {"traces":[{"traceID":"af7651916cd43dd8448eb211c80319c","rootServiceName":"web",\
                "rootTraceName":"GET /checkout","startTimeUnixNano":"1795341000000000000","durationMs":9,\
                "spanSet":{"spans":[{"spanID":"0000000000000003","name":"charge",\
                "startTimeUnixNano":"1795341000002000000","durationNanos":"3000000","attributes":[\
                {"key":"http.status_code","value":{"intValue":"500"}},{"key":"status","value":{"stringValue":"error"}},\
                {"key":"service.name","value":{"stringValue":"payment"}},\
                {"key":"user.id","value":{"stringValue":"abc123"}}]}],"matched":1},\
                "spanSets":[{"spans":[{"spanID":"0000000000000003","name":"charge",\
                "startTimeUnixNano":"1795341000002000000","durationNanos":"3000000","attributes":[\
                {"key":"http.status_code","value":{"intValue":"500"}},{"key":"status","value":{"stringValue":"error"}},\
                {"key":"service.name","value":{"stringValue":"payment"}},\
                {"key":"user.id","value":{"stringValue":"abc123"}}]}],"matched":1}],\
                "serviceStats":{"checkout":{"spanCount":1},"payment":{"spanCount":1,"errorCount":1},\
                "web":{"spanCount":1}}}],\
                "metrics":{"completedJobs":1,"totalJobs":1,"inspectedSpans":"3"}}
                """
        )
        #expect(
            try await api.tempo("/api/search?q=%7B%20.nosuch%20%3D%201%20%7D")
                == #"{"traces":[],"metrics":{"completedJobs":1,"totalJobs":1,"inspectedSpans":"3"}}"#
        )
    }

    @Test func `the same answer is there as a message`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let message = try await api.tempoMessage("/api/search?q=\(encoded("{ .http.status_code = 500 } | by(kind)"))")
        #expect(message.numbers == [1, 2])
        let trace = try #require(message.messages(1).first)
        #expect(trace.numbers == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8])
        #expect(trace.text(1) == "af7651916cd43dd8448eb211c80319c")
        #expect(trace.text(2) == "web")
        #expect(trace.text(3) == "GET /checkout")
        #expect(trace.number(4) == Shop.start)
        #expect(trace.number(5) == 9)
        #expect(trace.messages(6) == trace.messages(7))
        let stats = trace.messages(8).map {
            ($0.text(1), $0.messages(2).first?.number(1), $0.messages(2).first?.number(2))
        }
        #expect(stats.map { $0.0 } == ["checkout", "payment", "web"])
        #expect(stats.map { $0.1 } == [1, 1, 1])
        #expect(stats.map { $0.2 } == [nil, 1, nil])
        let set = try #require(trace.messages(7).first)
        #expect(set.number(2) == 1)
        #expect(set.messages(3).first?.text(1) == "by(kind)")
        #expect(set.messages(3).first?.messages(2).first?.text(1) == "server")
        let span = try #require(set.messages(1).first)
        #expect(span.text(1) == "0000000000000003")
        #expect(span.number(3) == Shop.start + 2_000_000)
        #expect(span.number(4) == 3_000_000)
        #expect(span.messages(5).first?.text(1) == "http.status_code")
        #expect(span.messages(5).first?.messages(2).first?.number(3) == 500)
        #expect(message.messages(2).first?.number(5) == 1)
    }

    @Test func `matched counts all spans, and spss says how many are shown`() async throws {
        let api = try await APIUnderTest((1...5).map { Shop.span($0, at: $0) })
        for (spss, count) in [("", 3), ("&spss=1", 1), ("&spss=5", 5), ("&spss=100", 5), ("&spss=0", 0)] {
            let set = try await api.tempoJSON("/api/search?q=%7B%7D\(spss)")["traces"][0]["spanSets"][0]
            #expect(set["matched"] == 5)
            #expect(set["spans"].array.count == count, "\(spss)")
        }
        // Without a question every trace is one.
        #expect(try await api.tempoJSON("/api/search")["traces"].array.count == 1)
    }

    @Test func `groups and aggregates come with their spanset`() async throws {
        var spans = (1...3).map { Shop.span($0, at: $0 * 1000, lasting: $0 * 1_000_000) }
        spans[0].attributes = [Attribute("tier", "gold")]
        spans[1].attributes = [Attribute("tier", "gold")]
        let api = try await APIUnderTest(spans)
        let query = "{ } | by(span.tier) | avg(duration) > 1ms | count() > 0"
        let sets = try await api.tempoJSON("/api/search?q=\(encoded(query))")["traces"][0]["spanSets"].array
        #expect(
            sets.map { $0["attributes"].tag("by(span.tier)")["value"] } == [
                ["stringValue": "gold"], ["stringValue": "nil"],
            ]
        )
        #expect(
            sets.map { $0["attributes"].tag("avg(duration)")["value"] } == [
                ["stringValue": "1.5ms"], ["stringValue": "3ms"],
            ]
        )
        #expect(sets.map { $0["attributes"].tag("count()")["value"] } == [["intValue": "2"], ["intValue": "1"]])
    }

    @Test func `a trace without its root says so`() async throws {
        let api = try await APIUnderTest([Shop.span(2, parent: 1)])
        let trace = try await api.tempoJSON("/api/search?q=%7B%7D")["traces"][0]
        #expect(trace["rootServiceName"] == "<root span not yet received>")
        #expect(trace["rootTraceName"] == nil)
    }

    @Test func `a query of series finds the traces of its pipeline`() async throws {
        let api = try await APIUnderTest(Shop.order)
        #expect(try await found(api, "{ status = error } | rate()") == [["0000000000000003"]])
    }

    @Test func `structure, and the whole trace's figures, can be asked for`() async throws {
        let api = try await APIUnderTest(Shop.order + [Shop.span(9, trace: TraceID(high: 0, low: 9), lasting: 5)])
        #expect(try await found(api, "{ kind = server } >> { status = error }") == [["0000000000000003"]])
        #expect(try await found(api, "{ nestedSetParent < 0 && traceDuration > 5ms }") == [["0000000000000001"]])
        #expect(try await found(api, "{ }", "&minDuration=5ms").count == 1)
        #expect(try await found(api, "{ }", "&maxDuration=5ms").count == 1)
        #expect(try await found(api, "{ }", "&minDuration=5ns&maxDuration=5ns") == [["0000000000000009"]])
        #expect(try await found(api, "{ }", "&minDuration=1s").isEmpty)
    }

    @Test func `conditions mean what they mean to Tempo`() async throws {
        var span = Shop.span(1, service: "лавка/eu west")
        span.attributes = [Attribute("region", "eu"), Attribute("path", "/a/b")]
        span.resource.attributes.append(Attribute("region", "us"))
        let api = try await APIUnderTest([span])
        for (query, isFound) in [
            // Of the span first; of the resource where the span has none.
            ("{ .region = \"eu\" }", true), ("{ .region = \"us\" }", false), ("{ resource.region = \"us\" }", true),
            // What is missing compares to nothing.
            ("{ .nosuch != \"x\" }", false), ("{ .nosuch = nil }", true),
            // Patterns match the whole text.
            ("{ .path =~ \"/a\" }", false), ("{ .path =~ \"/a.*\" }", true),
            ("{ resource.service.name = \"лавка/eu west\" }", true),
        ] {
            #expect(try await found(api, query) == (isFound ? [["0000000000000001"]] : []), "\(query)")
        }
    }

    @Test func `start and end are seconds, the end included`() async throws {
        let second = Shop.start / 1_000_000_000
        let api = try await APIUnderTest([Shop.span(1)])
        #expect(try await found(api, "{ }", "&start=\(second)&end=\(second + 1)").count == 1)
        #expect(try await found(api, "{ }", "&start=\(second - 1)&end=\(second)").count == 1)
        #expect(try await found(api, "{ }", "&start=\(second - 2)&end=\(second - 1)").isEmpty)
        #expect(try await found(api, "{ }", "&start=\(second + 1)&end=\(second + 2)").isEmpty)
        // Neither: all of time, not what came last.
        #expect(try await found(api, "{ }", "&start=0&end=0").count == 1)
        // Longer than Tempo would search, and up to the last second of 32 bits.
        #expect(try await found(api, "{ }", "&start=1&end=4294967295").count == 1)
    }

    @Test func `traces come newest first, as many as asked for`() async throws {
        let api = try await APIUnderTest((1...1205).map { Shop.span($0, trace: TraceID(high: 0, low: $0), at: $0) })
        func count(_ limit: String) async throws -> Int {
            try await api.tempoJSON("/api/search?q=%7B%7D\(limit)")["traces"].array.count
        }
        #expect(try await count("") == 20)
        #expect(try await count("&limit=1") == 1)
        #expect(try await count("&limit=1100") == 1100)
        #expect(try await count("&limit=262144") == 1205)
        let first = try await api.tempoJSON("/api/search?q=%7B%7D&limit=2")["traces"]
        #expect(first.array.map { $0["traceID"] } == ["4b5", "4b4"])
    }

    @Test(arguments: [
        ("q=%7B%7D&tags=a%3Db", "invalid request: can't specify tags and q in the same query"),
        ("limit=0", "invalid limit: must be a positive number"),
        ("limit=262145", "limit 262145 exceeds max limit 262144"),
        ("limit=-1", "invalid limit: strconv.ParseUint: parsing \"-1\": invalid syntax"),
        ("spss=101", "spans per span set exceeds 100. received 101"),
        ("start=2", "http parameter start must be before end. received start=2 end=0"),
        ("start=2&end=2", "http parameter start must be before end. received start=2 end=2"),
        (
            "start=1795341000000&end=1795341600000",
            "invalid start: strconv.ParseUint: parsing \"1795341000000\": value out of range; "
                + "seconds since 1970 are expected"
        ),
        ("minDuration=5", "invalid minDuration: time: missing unit in duration \"5\""),
        ("minDuration=2s&maxDuration=1s", "invalid maxDuration: must be greater than minDuration"),
        ("tags=a%3Db+a%3Dc", "invalid tags: tag a has been set twice"),
        ("tags=a%3Db%3Dc", "invalid tags: unexpected '=' at pos 4"),
        ("tags=a%3D%22b", "invalid tags: unterminated quoted value at pos 3"),
        (
            "q=%7B%20.a%20%3D%20%7D",
            "invalid TraceQL query: parse error at line 1, col 8: here a name or a value is expected; found }, "
                + "expected name or value or ("
        ),
        (
            "q=%7B%20staus%20%3D%20error%20%7D",
            "invalid TraceQL query: parse error at line 1, col 3: "
        ),
        ("q=service%20%3D%20web", "invalid TraceQL query: parse error at line 1, col 1: "),
    ])
    func `what cannot be asked is 400 in Tempo's words`(query: String, message: String) async throws {
        let api = try await APIUnderTest()
        let text = try await api.tempo("/api/search?\(query)", status: 400)
        #expect(message.hasSuffix(": ") ? text.hasPrefix(message) : text == message, "\(text)")
    }

    @Test func `parameters that nobody knows are passed over`() async throws {
        let api = try await APIUnderTest(Shop.order)
        #expect(try await api.tempoJSON("/api/search?q=%7B%7D&x=y&blockID=1")["traces"].array.count == 1)
    }

    @Test func `an answer takes no more memory than answers may`() async throws {
        var spans = (1...200).map { Shop.span($0, trace: TraceID(high: 0, low: $0)) }
        for place in spans.indices {
            spans[place].attributes = [Attribute("text", .string(String(repeating: "x", count: 1000)))]
        }
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: spans, receivedUnixNanos: 1))
        let api = APIUnderTest(over: store, answers: ByteBudget(limit: 200_000))
        let query = "/api/search?q=\(encoded("{ } | select(.text)"))"
        #expect(try await api.tempo("\(query)&limit=10").contains("xxx"))
        #expect(
            try await api.tempo("\(query)&limit=200", status: 422)
                == "Making the answer takes more than 200000 bytes of memory, the limit for one: lower 'limit' or 'spss'."
        )
    }
}

/// Searches by tags, as before there was TraceQL.
struct TempoTagSearchTests {
    private static let spans: [SkeinModel.Span] = {
        var spans = Shop.order
        spans[0].attributes = [
            Attribute("http.url", "http://shop/Items?a=b c"), Attribute("retries", 3), Attribute("cached", true),
            Attribute("a \"b\"", "x\ny"),
        ]
        return spans
    }()

    @Test(arguments: [
        ("service.name=web", true), ("service.name=we", true), ("service.name=Web", false), ("http.url=Items?a", true),
        ("http.url=\"b c\"", true), ("http.url=.tems", false), ("name=check", true), ("name=nothing", false),
        ("root.name=GET", true), ("root.name=charge", false), ("root.service.name=web", true), ("retries=3", true),
        ("retries=4", false), ("cached=true", true), ("cached=false", false), ("error=true", true),
        ("status.code=error", true), ("status.code=ok", false), ("http.url", true), ("nosuch", false),
        ("user.id=abc123 service.name=web", true), ("user.id=abc123 service.name=nosuch", false),
        ("\"\"", false),
    ])
    func `tags find parts of texts, each on any span of the trace`(tags: String, isFound: Bool) async throws {
        let api = try await APIUnderTest(Self.spans)
        let encoded = tags.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let response = await api.askTempo("/api/search?tags=\(encoded)")
        if tags == "\"\"" {
            #expect(response.status == 400)
        } else {
            let text = String(decoding: response.bytes, as: UTF8.self)
            #expect(response.status == 200, "\(text)")
            #expect(text.contains("traceID") == isFound, "\(tags): \(text)")
        }
    }

    @Test func `traces found by tags come without spans and services`() async throws {
        let api = try await APIUnderTest(Self.spans)
        #expect(
            try await api.tempo("/api/search?tags=error%3Dtrue&minDuration=1ms&maxDuration=1h") == """
                {"traces":[{"traceID":"af7651916cd43dd8448eb211c80319c","rootServiceName":"web",\
                "rootTraceName":"GET /checkout","startTimeUnixNano":"1795341000000000000","durationMs":9}],\
                "metrics":{"completedJobs":1,"totalJobs":1,"inspectedSpans":"3"}}
                """
        )
        #expect(try await api.tempoJSON("/api/search?tags=error%3Dtrue&minDuration=1h")["traces"].array.isEmpty)
    }

    @Test(arguments: [
        ("a=b", ["a=b"]), ("  a=b\tc=d ", ["a=b", "c=d"]), ("a", ["a="]), ("a= b", ["a=", "b="]), ("", []),
        (#"a="b \"c\" d\n" e=f"#, ["a=b \"c\" d\n", "e=f"]), ("a=\"\"", ["a="]), ("é=ü", ["é=ü"]),
    ])
    func `logfmt reads`(text: String, pairs: [String]) throws {
        #expect(try Logfmt.parse(text).map { "\($0.key)=\($0.value)" } == pairs)
    }

    @Test(arguments: [("=b", 1), ("a==", 3), ("a\"", 2), ("a=b\"c", 4), ("a=\"b\\", 3)])
    func `logfmt points at what is wrong`(text: String, position: Int) {
        let failure = #expect(throws: Logfmt.Failure.self) { try Logfmt.parse(text) }
        #expect(failure?.position == position)
    }
}
