// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

@testable import SkeinTraceQL

/// Whole queries over the native API: structure, order, series, heatmaps, facets, differences and completion.
struct NativeQueryTests {
    private let path = "/api/skein/v1"

    /// Ten traces: a root of 10 ms times the number, below it a call; of the odd ones it failed and says where.
    private static let spans: [Span] = (UInt64(1)...10).flatMap { number -> [Span] in
        let trace = TraceID(high: 3, low: number)
        var root = Shop.span(1, trace: trace, at: number * 1_000_000_000)
        root.name = "GET /orders"
        root.durationNanos = number * 10_000_000
        root.resource = Resource(attributes: [Attribute("service.name", "web")])
        var call = Shop.span(2, trace: trace, at: number * 1_000_000_000 + 1_000)
        call.parentSpanID = SpanID(1)
        call.name = "charge"
        call.durationNanos = 1_000_000
        call.resource = Resource(attributes: [Attribute("service.name", "payment")])
        call.attributes = [Attribute("region", number % 2 == 1 ? "eu" : "us"), Attribute("attempt", 1)]
        if number % 2 == 1 { call.status = .init(.error) }
        return [root, call]
    }

    @Test(
        arguments: [
            ("{ resource.service.name = \"web\" } >> { status = error }", 5),
            ("{ status = error } << { resource.service.name = \"web\" }", 5),
            ("{ } | count() > 1", 10), ("{ } | count() > 2", 0), ("parent.region = nil and service = payment", 10),
            ("{ span.region = \"eu\" } && { duration > 50ms }", 2), ("{ } | avg(duration) > 40ms", 3),
        ]
    )
    func `structure and aggregates find traces`(query: String, count: Int) async throws {
        let api = try await APIUnderTest(Self.spans)
        #expect(try await api.json("\(path)/search?q=\(escaped(query))")["traces"].array.count == count, "\(query)")
    }

    @Test func `traces come in the order asked for, page by page`() async throws {
        let api = try await APIUnderTest(Self.spans)
        for target in ["order=duration", "q=\(escaped("{ } | order by duration desc"))"] {
            var found: [String] = []
            var cursor = ""
            repeat {
                let page = try await api.json("\(path)/search?\(target)&limit=3&cursor=\(cursor)")
                found += page["traces"].array.compactMap { $0["durationNanos"].string }
                cursor = page["next"].string ?? ""
            } while !cursor.isEmpty
            #expect(found == (1...10).reversed().map { "\($0 * 10_000_000)" })
        }
        let wrong = try await api.json("\(path)/search?order=size", status: 400)
        #expect(wrong["field"] == "order")
    }

    @Test func `what matched of a trace is shown on request`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let query = escaped("{ span.region = \"eu\" } | by(span.attempt) | select(name)")
        let trace = try await api.json("\(path)/search?q=\(query)&spans=3&limit=1")["traces"][0]
        let set = trace["spansets"][0]
        #expect(set["matchedSpans"] == 1)
        #expect(set["attributes"] == [["name": "by(span.attempt)", "value": "1", "type": "int"]])
        #expect(set["spans"][0]["name"] == "charge")
        #expect(set["spans"][0]["serviceName"] == "payment")
        #expect(set["spans"][0]["attributes"] == [["name": "span.region", "value": "eu", "type": "string"]])
    }

    @Test(arguments: ["search", "heatmap", "facets", "tail", "differences?selection=error"])
    func `who looks for spans is told where they are counted`(path: String) async throws {
        let api = try await APIUnderTest(Self.spans)
        let join = path.contains("?") ? "&" : "?"
        let error = try await api.json("\(self.path)/\(path)\(join)q=\(escaped("{ } | rate()"))", status: 400)
        #expect(error["field"] == "q" && error["detail"].string?.contains("/api/skein/v1/metrics") == true)
    }

    @Test func `series count spans by step and group`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let start = Shop.start / 10_000_000_000 * 10_000_000_000
        let bounds = "start=\(start)&end=\(start + 20_000_000_000)&step=10s"
        let query = escaped("{ } | count_over_time() by(span.region)")
        let answer = try await api.json("\(path)/metrics?q=\(query)&\(bounds)")
        #expect(answer["stepNanos"] == "10000000000")
        #expect(answer["moments"] == 3)
        let labels = answer["series"].array.map { $0["labels"][0]["value"].string ?? "" }
        #expect(labels == ["eu", "nil", "us"])
        let sums = answer["series"].array.map { series in
            series["values"].array.reduce(0.0) { sum, value in
                switch value {
                case .int(let int): sum + Double(int)
                case .double(let double): sum + double
                default: sum
                }
            }
        }
        #expect(sums == [5, 10, 5])
        let wrong = try await api.json("\(path)/metrics?q=\(escaped("{ }"))&\(bounds)", status: 400)
        #expect(wrong["field"] == "q")
        let fine = try await api.json("\(path)/metrics?q=\(query)&start=0&end=\(start)&step=1", status: 400)
        #expect(fine["field"] == "step")
    }

    @Test func `a heatmap counts spans by time and duration`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let bounds = "start=\(Shop.start)&end=\(Shop.start + 20_000_000_000)&step=5s"
        let answer = try await api.json("\(path)/heatmap?q=\(escaped("service = payment"))&\(bounds)")
        #expect(answer["durationFloorsNanos"].array.count == 1)
        let floor = try #require(answer["durationFloorsNanos"][0].string.flatMap(UInt64.init))
        #expect(floor <= 1_000_000 && 1_000_000 < floor * 5 / 4)
        #expect(answer["cells"].array.reduce(0) { $0 + ($1[2].int ?? 0) } == 10)
        #expect(answer["cells"].array.reduce(0) { $0 + ($1[3].int ?? 0) } == 5)
    }

    @Test func `facets list the values of matching spans`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let answer = try await api.json("\(path)/facets?q=\(escaped("service = payment"))")
        #expect(answer["spanCount"] == 10)
        let region = answer["facets"].array.first { $0["name"] == "span.region" }
        #expect(region?["values"].array.map { $0["count"] } == [5, 5])
    }

    @Test func `facets may be chosen, intrinsics among them, and keep their order`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let keys = "service,name,status,kind,span.region,region,nobody,span:parentID,trace:rootService,parent.region"
        let answer = try await api.json("\(path)/facets?keys=\(escaped(keys))&limit=1")
        let facets = answer["facets"].array
        #expect(
            facets.map { $0["name"] } == [
                "resource.service.name", "name", "status", "kind", "span.region", ".region", ".nobody", "span:parentID",
                "rootServiceName", "parent.region",
            ]
        )
        let automatic = try await api.json("\(path)/facets?limit=1")
        #expect(answer["spanCount"] == automatic["spanCount"])
        #expect(facets[4] == automatic["facets"].array.first { $0["name"] == "span.region" })
        #expect(facets[6]["share"] == 0 && facets[6]["values"] == [])
        #expect(facets[2]["values"].array.count == 1 && facets[2]["values"][0]["type"] == "status")
        #expect(facets[8]["share"] == 1)
        for (wrong, word) in [
            ("keys=a&fields=3", "leave out"), ("keys=a,,b", "name"), ("keys=a)", "comma"), ("keys=a%3D1", "field"),
            ("keys=\((0..<51).map { "k\($0)" }.joined(separator: ","))", "51"),
        ] {
            let error = try await api.json("\(path)/facets?\(wrong)", status: 400)
            #expect(error["field"] == "keys" && error["detail"].string?.contains(word) == true, "\(wrong): \(error)")
        }
    }

    @Test func `whatever spans carry, a comparison looks at a bounded part of it and says so`() async throws {
        var many = Shop.span(1, trace: TraceID(high: 4, low: 1))
        many.attributes = (0..<600).map { Attribute("k\($0)", .int(Int64($0))) }
        let long = (UInt64(2)...3).map { number in
            var span = Shop.span(1, trace: TraceID(high: 4, low: number))
            span.attributes = [Attribute("text", .string(String(repeating: "x", count: number == 2 ? 1_025 : 1_024)))]
            return span
        }
        let api = try await APIUnderTest([many] + long)
        let facets = try await api.json("\(path)/facets?fields=200")["facets"].array
        let text = facets.first { $0["name"] == "span.text" }
        #expect(text?["values"].array.map { $0["value"].string?.count } == [1_024] && text?["truncated"] == true)
        let range = "start=\(Shop.start)&end=\(Shop.start + 1_000_000_000)&step=1s"
        let compare = try await api.json(
            "\(path)/metrics?q=\(escaped("{ } | compare({ status = error })"))&\(range)&limit=1000"
        )
        let names = Set(compare["series"].array.compactMap { $0["labels"].array.last?["name"].string })
        #expect(names.count { $0.hasPrefix("span.") || $0.hasPrefix("resource.") } == ComparedFields.countMax)
    }

    @Test func `differences name what a selection has and the rest has not`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let target = "\(path)/differences?q=\(escaped("service = payment"))&selection=\(escaped("error = true"))"
        let answer = try await api.json(target)
        #expect(answer["selectionCount"] == 5)
        #expect(answer["restCount"] == 5)
        let first = answer["attributes"].array.prefix(2).compactMap { $0["name"].string }
        #expect(Set(first) == ["span.region", "status"])
        #expect(answer["attributes"][0]["difference"] == 1)
        #expect(try await api.json("\(path)/differences?q=", status: 400)["field"] == "selection")
    }

    @Test(
        arguments: [
            ("{ span.reg", "span.region", "field"), ("reg", "region", "field"), ("region = ", "\"eu\"", "value"),
            ("{ span.region = \"e", "\"eu\"", "value"), ("{ status = e", "error", "value"),
            ("{ dur", "duration", "field"),
            ("duration > ", "10ms", "value"), ("{ sp", "span.", "field"), ("{ res", "resource.", "field"),
            ("{ span:st", "span:status", "field"), ("{ } | ra", "rate()", "function"),
        ]
    )
    func `an unfinished query is completed`(query: String, text: String, kind: String) async throws {
        let api = try await APIUnderTest(Self.spans)
        let answer = try await api.json("\(path)/complete?q=\(escaped(query))")
        let choices = answer["choices"].array.filter { $0["kind"] == .string(kind) }.compactMap { $0["text"].string }
        #expect(choices.contains { $0.hasPrefix(text.replacing("()", with: "")) }, "\(query): \(choices)")
    }
}
