// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinStore
import Testing

/// One trace in the native API: whole, as a skeleton, span by span.
struct NativeTraceTests {
    private let path = "/api/skein/v1/traces/\(Shop.traceID)"

    private func skeleton(_ spans: [SkeinModel.Span]) async throws -> JSONValue {
        try await APIUnderTest(spans).json("/api/skein/v1/traces/\(spans[0].traceID)/skeleton")
    }

    @Test func `a skeleton is columns in depth-first order`() async throws {
        #expect(
            try await APIUnderTest(Shop.order).text("\(path)/skeleton") == """
                {"traceId":"0af7651916cd43dd8448eb211c80319c","traceStartUnixNano":"\(Shop.start)",\
                "durationNanos":"9000000","spanCount":3,"errorCount":1,"depth":3,"pinned":false,"agents":false,\
                "rootServiceName":"web","rootSpanName":"GET /checkout","services":[{"name":"web","color":0,"spanCount":1,"errorCount":0},\
                {"name":"checkout","color":1,"spanCount":1,"errorCount":0},\
                {"name":"payment","color":2,"spanCount":1,"errorCount":1}],\
                "operations":["GET /checkout","place order","charge"],\
                "spans":{"id":["0000000000000001","0000000000000002","0000000000000003"],"parent":[-1,0,1],\
                "service":[0,1,2],"operation":[0,1,2],"kind":[2,1,2],"status":[0,0,2],"start":[0,1000000,2000000],\
                "duration":[9000000,7000000,3000000],"events":[0,0,1],"links":[0,0,0],"weight":[1,1,1]},\
                "missingParents":[],"cyclesBroken":[],"clamped":[],"open":[],"warnings":[],\
                "lastReceivedUnixNano":"\(APIUnderTest.now - 3_600_000_000_000)"}
                """
        )
    }

    @Test func `spans whose parent is missing are grouped`() async throws {
        var weighted = Shop.span(5, parent: 9, at: 3)
        weighted.weight = 12.5
        let skeleton = try await skeleton([
            Shop.span(1), Shop.span(2, parent: 8, at: 1), Shop.span(3, parent: 9, at: 2),
            Shop.span(4, parent: 3, at: 3), weighted,
        ])
        let ids = skeleton["spans"]["id"].array
        let groups = skeleton["missingParents"].array
        #expect(groups.map { $0["spanId"] } == ["0000000000000008", "0000000000000009"])
        #expect(
            groups.map { $0["rows"].array.map { ids[Int($0.int ?? 0)] } } == [
                ["0000000000000002"], ["0000000000000003", "0000000000000005"],
            ]
        )
        #expect(skeleton["spans"]["parent"].array.filter { $0 == -1 }.count == 4)
        #expect(skeleton["spans"]["weight"].array.filter { $0 == 12.5 }.count == 1)
        #expect(skeleton["warnings"][0]["code"] == "missing-parents")
        #expect(skeleton["warnings"][0]["count"] == 3)
    }

    @Test func `a cycle of parents is broken and said`() async throws {
        let skeleton = try await skeleton([
            Shop.span(1, parent: 3), Shop.span(2, parent: 1, at: 1), Shop.span(3, parent: 2, at: 2),
            Shop.span(4, parent: 4, at: 3),
        ])
        #expect(skeleton["spans"]["id"].array.count == 4)
        #expect(skeleton["cyclesBroken"].array.count == 2)
        #expect(skeleton["warnings"].array.contains { $0["code"] == "cycle" && $0["count"] == 2 })
    }

    @Test func `clamped ends, odd clocks and shared ids are said`() async throws {
        var clamped = Shop.span(2, parent: 1, at: 10)
        clamped.endsBeforeStart = true
        clamped.durationNanos = 0
        let skeleton = try await skeleton([
            Shop.span(1, at: 5), clamped, Shop.span(3, parent: 1, at: 1), Shop.span(3, parent: 1, kind: .client, at: 7),
        ])
        let ids = skeleton["spans"]["id"].array
        #expect(skeleton["clamped"].array.map { ids[Int($0.int ?? 0)] } == ["0000000000000002"])
        let codes = skeleton["warnings"].array.map { [$0["code"], $0["count"]] }
        #expect(codes.contains(["clock", 2]))
        #expect(codes.contains(["duplicate-ids", 2]))
    }

    @Test func `a trace that still arrives says so and has no tag to cache by`() async throws {
        let fresh = try await APIUnderTest(Shop.order, receivedUnixNanos: APIUnderTest.now - 1_000_000_000)
        let response = try await fresh.ask("\(path)/skeleton")
        #expect(response.header("ETag") == nil)
        #expect(String(decoding: response.bytes, as: UTF8.self).contains(#""code":"still-arriving""#))
    }

    @Test func `a quiet trace need not be sent twice`() async throws {
        let api = try await APIUnderTest(Shop.order)
        for target in ["\(path)/skeleton", path] {
            let first = try await api.ask(target)
            let tag = try #require(first.header("ETag"))
            #expect(first.header("Cache-Control") == "no-cache")
            for sent in [tag, "\"other\", \(tag)", "*"] {
                let second = try await api.ask(target, headers: [("if-none-match", sent)])
                #expect(second.status == 304)
                #expect(second.bytes.isEmpty)
                #expect(second.header("ETag") == tag)
            }
            #expect(try await api.ask(target, headers: [("if-none-match", "W/\"1\"")]).status == 200)
        }
        let tag = try await api.ask("\(path)/skeleton").header("ETag")
        try await api.store.append(SpanBatch(spans: [Shop.span(9, parent: 1)], receivedUnixNanos: 5))
        #expect(try await api.ask("\(path)/skeleton").header("ETag") != tag)
    }

    @Test func `up to twelve services have a colour each`() async throws {
        // Numbers 0 and 12 share a colour by themselves.
        var spans = (UInt64(0)..<13).map { Shop.span(1, trace: TraceID(high: 1, low: $0 + 1), service: "s\($0)") }
        spans.append(Shop.span(1, service: "s0"))
        spans.append(Shop.span(2, service: "s12"))
        let skeleton = try await APIUnderTest(spans).json("\(path)/skeleton")
        #expect(Set(skeleton["services"].array.map { $0["color"] }).count == 2)
    }

    @Test func `a whole trace is OTLP JSON`() async throws {
        let answer = try await APIUnderTest([Shop.order[2]]).json(path)
        #expect(answer.keys == ["resourceSpans"])
        let resource = answer["resourceSpans"][0]
        #expect(resource["resource"]["attributes"][0] == ["key": "service.name", "value": ["stringValue": "payment"]])
        let span = resource["scopeSpans"][0]["spans"][0]
        #expect(span["traceId"] == "0af7651916cd43dd8448eb211c80319c")
        #expect(span["kind"] == 2)
        #expect(span["startTimeUnixNano"] == .string("\(Shop.start + 2_000_000)"))
        #expect(span["attributes"][1] == ["key": "http.status_code", "value": ["intValue": "500"]])
    }

    @Test func `short ids are padded`() async throws {
        let api = try await APIUnderTest([Shop.span(1, trace: TraceID(high: 0, low: 0xab))])
        for form in ["ab", "AB", "000ab"] {
            let skeleton = try await api.json("/api/skein/v1/traces/\(form)/skeleton")
            #expect(skeleton["traceId"] == "000000000000000000000000000000ab")
        }
    }

    @Test func `spans come by id with their resources and scopes`() async throws {
        var spans = Shop.order
        spans[1].scope = InstrumentationScope(name: "lib", version: "1", schemaURL: "https://s")
        let answer = try await APIUnderTest(spans).json("\(path)/spans?ids=3,0000000000000002,ffff")
        #expect(answer["traceId"] == .string("\(Shop.traceID)"))
        #expect(answer["missing"] == ["000000000000ffff"])
        let named = answer["spans"].array.map { entry in
            [
                entry["span"]["spanId"],
                answer["resources"][Int(entry["resource"].int ?? 0)]["attributes"][0]["value"]["stringValue"],
                answer["scopes"][Int(entry["scope"].int ?? 0)]["name"],
            ]
        }
        #expect(named.contains(["0000000000000003", "payment", nil]))
        #expect(named.contains(["0000000000000002", "checkout", "lib"]))
        #expect(answer["resources"].array.allSatisfy { $0["schemaUrl"] == "" })
        #expect(answer["scopes"].array.map { $0["schemaUrl"] }.contains("https://s"))
        #expect(answer["spans"].array.count == 2)
    }

    @Test func `spans by id have bounds`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let many = (1...201).map(String.init).joined(separator: ",")
        #expect(
            try await api.json("\(path)/spans?ids=\(many)", status: 400)["detail"]
                == "201 ids were given, at most 200 are answered at once."
        )
        for bad in ["?ids=", "?ids=xyz", "?ids=1,,2", "?ids=0", "?ids=1&limit=2", "?ids=1&cursor="] {
            #expect(try await api.json("\(path)/spans\(bad)", status: 400)["field"] == "ids", "\(bad)")
        }
    }

    @Test func `every number reads back exactly`() async throws {
        var random = SeededRandom(seed: 11)
        var spans: [SkeinModel.Span] = []
        for id in UInt64(1)...200 {
            var span = Shop.span(id)
            let bits = random.next() % 64
            span.startUnixNanos = random.next() >> bits
            span.durationNanos = min(random.next() >> (random.next() % 64), .max - span.startUnixNanos)
            span.attributes = [
                Attribute("int", .int(Int64(bitPattern: random.next() >> bits))),
                Attribute("double", .double(Double(bitPattern: random.next()))),
            ]
            spans.append(span)
        }
        let api = try await APIUnderTest(spans)
        let skeleton = try await api.json("\(path)/skeleton")
        let start = try #require(spans.map(\.startUnixNanos).min())
        #expect(skeleton["traceStartUnixNano"] == .string("\(start)"))
        #expect(skeleton["durationNanos"] == .string("\((spans.map(\.endUnixNanos).max() ?? 0) - start)"))
        let jaeger = try await api.json("/api/traces/\(Shop.traceID)")["data"][0]["spans"].array
        let whole = try await api.json(path)["resourceSpans"][0]["scopeSpans"][0]["spans"].array
        for span in spans {
            let id = JSONValue.string("\(span.spanID)")
            let row = try #require(skeleton["spans"]["id"].array.firstIndex(of: id))
            #expect(number(skeleton["spans"]["start"][row]) == span.startUnixNanos - start)
            #expect(number(skeleton["spans"]["duration"][row]) == span.durationNanos)
            let shown = try #require(jaeger.first { $0["spanID"] == id })
            #expect(number(shown["startTime"]) == span.startUnixNanos / 1000)
            #expect(number(shown["duration"]) == span.durationNanos / 1000)
            guard case .int(let int) = span.attributes[0].value, case .double(let double) = span.attributes[1].value
            else { continue }
            let isExact = int.magnitude < 1 << 53
            #expect(shown["tags"].tag("int")["value"] == (isExact ? .int(int) : .string("\(int)")))
            let otlp = try #require(whole.first { $0["spanId"] == id })
            #expect(otlp["startTimeUnixNano"] == .string("\(span.startUnixNanos)"))
            #expect(otlp["endTimeUnixNano"] == .string("\(span.endUnixNanos)"))
            #expect(otlp["attributes"][0]["value"]["intValue"] == .string("\(int)"))
            for value in [otlp["attributes"][1]["value"]["doubleValue"], shown["tags"].tag("double")["value"]] {
                #expect(real(value)?.bitPattern == double.bitPattern || (double.isNaN && value == "NaN"), "\(double)")
            }
        }
    }

    private func number(_ value: JSONValue) -> UInt64? {
        switch value {
        case .int(let int): UInt64(exactly: int)
        case .uint(let uint): uint
        default: nil
        }
    }

    private func real(_ value: JSONValue) -> Double? {
        switch value {
        case .double(let double): double
        case .int(let int): Double(int)
        case .uint(let uint): Double(uint)
        case .string(let text): Double(text)
        default: nil
        }
    }
}
