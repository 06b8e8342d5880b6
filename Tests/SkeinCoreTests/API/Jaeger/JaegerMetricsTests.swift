// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import Testing

/// The figures of Jaeger's Monitor tab.
struct JaegerMetricsTests {
    private static let minute: UInt64 = 60_000_000_000

    /// A call of a service so many minutes before now.
    private func call(
        _ number: UInt64,
        _ service: String = "web",
        _ name: String = "GET /",
        minutesAgo: UInt64,
        lasting millis: UInt64 = 8,
        kind: SkeinModel.Span.Kind = .server,
        failed: Bool = false
    ) -> SkeinModel.Span {
        var span = Shop.span(number, trace: TraceID(high: 7, low: number), service: service, name: name, kind: kind)
        span.startUnixNanos = APIUnderTest.now - minutesAgo * Self.minute
        span.durationNanos = millis * 1_000_000
        if failed { span.status = .init(.error) }
        return span
    }

    /// What the points of the metric at a place say, `nil` for no number.
    private func values(_ answer: JSONValue, _ index: Int = 0) -> [Double?] {
        answer["metrics"][index]["metricPoints"].array.map { point in
            switch point["gaugeValue"]["doubleValue"] {
            case .double(let value): value
            case .int(let value): Double(value)
            default: nil
            }
        }
    }

    @Test func `calls are a rate over the window of each point`() async throws {
        let api = try await APIUnderTest((1...6).map { call($0, minutesAgo: $0 <= 4 ? 12 : 4) })
        let answer = try await api.text(
            "/api/metrics/calls?service=web&lookback=900000&step=300000&ratePer=300000"
        )
        #expect(
            answer == """
                {"name":"service_call_rate","type":"GAUGE","help":"calls a second, by service",\
                "metrics":[{"labels":[{"name":"service_name","value":"web"}],"metricPoints":[\
                {"gaugeValue":{"doubleValue":0.0},"timestamp":"2026-11-22T09:45:00Z"},\
                {"gaugeValue":{"doubleValue":0.013333333333333334},"timestamp":"2026-11-22T09:50:00Z"},\
                {"gaugeValue":{"doubleValue":0.0},"timestamp":"2026-11-22T09:55:00Z"},\
                {"gaugeValue":{"doubleValue":0.006666666666666667},"timestamp":"2026-11-22T10:00:00Z"}]}]}
                """
        )
    }

    @Test func `an hour back, every five seconds, over ten minutes, is what is not said otherwise`() async throws {
        let answer = try await APIUnderTest([call(1, minutesAgo: 5)]).json("/api/metrics/calls?service=web")
        let points = answer["metrics"][0]["metricPoints"].array
        #expect(points.count == 721)
        #expect(points[0]["timestamp"] == "2026-11-22T09:00:00Z" && points[1]["timestamp"] == "2026-11-22T09:00:05Z")
        #expect(values(answer).last == 1.0 / 600)
    }

    @Test func `latencies are milliseconds, by operation where asked`() async throws {
        let spans = [
            call(1, "web", "a", minutesAgo: 2, lasting: 10), call(2, "web", "a", minutesAgo: 2, lasting: 1000),
            call(3, "web", "b", minutesAgo: 2, lasting: 50), call(4, "db", "c", minutesAgo: 2, lasting: 3),
        ]
        let api = try await APIUnderTest(spans)
        let range = "lookback=60000&step=60000"
        let answer = try await api.json(
            "/api/metrics/latencies?service=web&service=db&groupByOperation=true&quantile=0.95&\(range)"
        )
        #expect(answer["name"] == "service_operation_latencies" && answer["type"] == "GAUGE")
        let labels = answer["metrics"].array.map { $0["labels"].array.map { $0["value"] } }
        #expect(labels == [["web", "a"], ["web", "b"], ["db", "c"]])
        #expect(answer["metrics"][0]["labels"][1]["name"] == "operation")
        for (index, wanted) in [1000.0, 50, 3].enumerated() {
            for value in values(answer, index) { #expect(abs((value ?? 0) - wanted) <= wanted * 0.045, "\(wanted)") }
        }
        let median = try await api.json("/api/metrics/latencies?service=web&quantile=0.5&\(range)")
        #expect(median["name"] == "service_latencies" && median["metrics"].array.count == 1)
        #expect(values(median).allSatisfy { abs(($0 ?? 0) - 50) < 3 })
    }

    @Test func `a service with calls and no errors has zeros, and where there are no calls no number`() async throws {
        let api = try await APIUnderTest(
            [call(1, minutesAgo: 4), call(2, "db", minutesAgo: 4, failed: true), call(3, "db", minutesAgo: 4)]
        )
        let answer = try await api.json(
            "/api/metrics/errors?service=web&service=db&service=nobody&lookback=600000&step=300000&ratePer=300000"
        )
        #expect(answer["name"] == "service_error_rate")
        #expect(answer["metrics"].array.count == 2)
        #expect(values(answer, 0) == [nil, nil, 0])
        #expect(values(answer, 1) == [nil, nil, 0.5])
        #expect(answer["metrics"][0]["metricPoints"][0]["gaugeValue"]["doubleValue"] == "NaN")
        let nobody = try await api.json("/api/metrics/errors?service=nobody")
        #expect(nobody["metrics"] == [])
    }

    @Test(arguments: ["service=web&service=db", "service=web,service=db", "service=web%2Cservice%3Ddb"])
    func `services come one by one or joined by a comma`(services: String) async throws {
        let api = try await APIUnderTest([call(1, minutesAgo: 4), call(2, "db", minutesAgo: 4)])
        let answer = try await api.json("/api/metrics/calls?\(services)&lookback=60000&step=60000")
        #expect(answer["metrics"].array.map { $0["labels"][0]["value"] } == ["web", "db"])
    }

    @Test func `a service may have a comma in its name, and no name at all`() async throws {
        var nameless = call(2, minutesAgo: 3)
        nameless.resource = Resource()
        let api = try await APIUnderTest([call(1, "a,b", minutesAgo: 4), nameless])
        let answer = try await api.json("/api/metrics/calls?service=a,b&service=OTLPResourceNoServiceName")
        #expect(
            answer["metrics"].array.map { $0["labels"][0]["value"] } == ["a,b", "OTLPResourceNoServiceName"]
        )
    }

    @Test func `servers are asked for unless other kinds are`() async throws {
        let spans = SkeinModel.Span.Kind.allCases.enumerated().flatMap { index, kind in
            (0...index).map { call(UInt64(index * 10 + $0 + 1), minutesAgo: 3, kind: kind) }
        }
        let api = try await APIUnderTest(spans)
        for (query, count) in [
            ("", 3), ("&spanKind=server", 3), ("&spanKind=unspecified", 1), ("&spanKind=internal", 2),
            ("&spanKind=client&spanKind=producer", 9), ("&spanKind=consumer", 6),
        ] {
            let answer = try await api.json(
                "/api/metrics/calls?service=web&lookback=0&step=1000&ratePer=600000\(query)"
            )
            #expect(values(answer).map { ($0 ?? 0) * 600 } == [Double(count)], "\(query)")
        }
    }

    @Test func `calls count by their weight, and a minute that is not over by what has passed of it`() async throws {
        var span = call(1, minutesAgo: 1)
        span.weight = 12
        span.startUnixNanos += Self.minute / 2
        let api = try await APIUnderTest([span])
        let end = (APIUnderTest.now - Self.minute / 2) / 1_000_000
        let answer = try await api.json(
            "/api/metrics/calls?service=web&endTs=\(end)&lookback=0&step=1000&ratePer=60000"
        )
        // The window touches the minute before and this one, which are both over.
        #expect(values(answer) == [0.1])
    }

    @Test func `every point is what the spans of its window add up to, however long the windows are`() async throws {
        var spans: [SkeinModel.Span] = []
        for number in UInt64(0)..<400 {
            spans.append(
                call(number + 1, minutesAgo: number * 7 % 700 + 1, lasting: number % 90 + 1, failed: number % 5 == 0)
            )
        }
        let api = try await APIUnderTest(spans)
        for window in [UInt64(1), 7, 30, 120] {
            for step in [UInt64(1), 13] {
                let query = "service=web&lookback=\(600 * 60_000)&step=\(step * 60_000)&ratePer=\(window * 60_000)"
                let calls = values(try await api.json("/api/metrics/calls?\(query)"))
                let errors = values(try await api.json("/api/metrics/errors?\(query)"))
                // Of slices of more than a minute a window may touch one more at either end.
                let slice = max(1, window / 10)
                for (index, value) in calls.enumerated() where slice == 1 {
                    let point = APIUnderTest.now - 600 * Self.minute + UInt64(index) * step * Self.minute
                    let inside = spans.filter {
                        $0.startUnixNanos < point && $0.startUnixNanos >= point - window * Self.minute
                    }
                    #expect(value == Double(inside.count) / Double(window * 60), "\(window) \(step) \(index)")
                    let failed = inside.filter { $0.status.code == .error }.count
                    #expect(errors[index] == (inside.isEmpty ? nil : Double(failed) / Double(inside.count)))
                }
                #expect(calls.count == Int(600 / step) + 1)
            }
        }
    }

    @Test(
        arguments: [
            ("calls", "unable to parse param 'service': please provide at least one service name"),
            ("calls?service=", "unable to parse param 'service': please provide at least one service name"),
            ("calls?service=a&spanKind=odd", "unable to parse param 'spanKind': unsupported span kind: 'odd'"),
            (
                "calls?service=a&step=x",
                #"unable to parse param 'step': strconv.ParseInt: parsing "x": invalid syntax"#
            ),
            ("calls?service=a&step=0", "'step' should be greater than 0 milliseconds"),
            (
                "calls?service=a&step=1",
                "'step' cuts 'lookback' into 3600000 points, the limit is 11000: take a longer step"
            ),
            (
                "calls?service=a&lookback=1000000000000&step=1000000000",
                "'lookback' reaches over 16666677 sums of 1 minutes, the limit is 11000: take a shorter lookback or a longer "
                    + "'ratePer'"
            ),
            (
                "latencies?service=a",
                #"unable to parse param 'quantile': strconv.ParseFloat: parsing "": invalid syntax"#
            ),
            ("latencies?service=a&quantile=2", "unable to parse param 'quantile': 2 is out of bounds, it takes 0 to 1"),
            (
                "errors?service=a&groupByOperation=maybe",
                #"unable to parse param 'groupByOperation': strconv.ParseBool: parsing "maybe": invalid syntax"#
            ),
        ]
    )
    func `a bad parameter is named in Jaeger's envelope`(target: String, message: String) async throws {
        let answer = try await APIUnderTest().json("/api/metrics/\(target)", status: 400)
        #expect(answer["errors"] == [["code": 400, "msg": .string(message)]])
        #expect(answer["data"] == nil)
    }

    @Test func `any times are answered`() async throws {
        let api = try await APIUnderTest([call(1, minutesAgo: 4)])
        for query in [
            "endTs=0", "endTs=1&lookback=9223372036854775807", "endTs=9223372036854775807&lookback=0",
            "endTs=18446744073709&lookback=60000&step=60000", "ratePer=0", "ratePer=-5&lookback=-5",
        ] {
            let response = try await api.ask("/api/metrics/calls?service=web&\(query)")
            #expect(response.status == 200, "\(query)")
        }
    }

    @Test func `the shortest step is a minute`() async throws {
        #expect(
            try await APIUnderTest().text("/api/metrics/minstep")
                == #"{"data":60000,"total":0,"limit":0,"offset":0,"errors":null}"#
        )
    }
}
