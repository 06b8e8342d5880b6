// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinModel
import SkeinStore
import Testing

@testable import SkeinAPI

/// What spans add up to over time, as Grafana and Traces Drilldown ask for it.
struct TempoSeriesTests {
    /// 2026-11-22T09:50:00Z, a whole minute.
    private static let start = Shop.start / 1_000_000_000

    private func path(_ query: String, _ more: String = "", instant: Bool = false) -> String {
        let encoded = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "/api/metrics/query\(instant ? "" : "_range")?q=\(encoded)\(more)"
    }

    /// One span a second for two minutes, of two services; every tenth fails.
    private static let spans: [SkeinModel.Span] = (UInt64(1)...120).map { second in
        var span = Shop.span(
            second,
            trace: TraceID(high: 0, low: second),
            service: second % 2 == 0 ? "web" : "db",
            at: second * 1_000_000_000,
            lasting: second * 1_000_000
        )
        if second % 10 == 0 { span.status = .init(.error) }
        span.attributes = [Attribute("shard", .int(Int64(second % 2)))]
        return span
    }

    @Test func `a sample counts the step before it, and zero is left out`() async throws {
        let api = try await APIUnderTest(Array(Self.spans[..<60]))
        #expect(
            try await api.tempo(
                path(
                    "{ } | count_over_time() with(exemplars=false)",
                    "&start=\(Self.start)&end=\(Self.start + 120)&step=60"
                )
            ) == """
                {"series":[{"labels":[{"key":"__name__","value":{"stringValue":"count_over_time"}}],\
                "samples":[{"timestampMs":"1795341000000"},{"timestampMs":"1795341060000","value":60.0},\
                {"timestampMs":"1795341120000"}]}],\
                "metrics":{"completedJobs":1,"totalJobs":1,"inspectedSpans":"60"}}
                """
        )
    }

    @Test func `the first sample counts a whole step too`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let more = "&start=\(Self.start + 60)&end=\(Self.start + 120)&step=60"
        let series = try await api.tempoJSON(path("{ } | count_over_time()", more))["series"][0]
        #expect(series["samples"].array.map { $0["value"] } == [60, 60])
    }

    @Test func `an exemplar names its span`() async throws {
        let api = try await APIUnderTest([Self.spans[6]])
        let more = "&start=\(Self.start)&end=\(Self.start + 60)&step=60"
        let series = try await api.tempoJSON(path("{ } | max_over_time(duration)", more))["series"][0]
        #expect(
            series["exemplars"] == [
                [
                    "labels": [
                        ["key": "trace:id", "value": ["stringValue": "00000000000000000000000000000007"]],
                        ["key": "span:id", "value": ["stringValue": "0000000000000007"]],
                    ],
                    "value": 0.007, "timestampMs": "1795341007000",
                ]
            ]
        )
    }

    @Test func `rates are by the second, grouped series have typed labels`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let more = "&start=\(Self.start)&end=\(Self.start + 120)&step=1m"
        let series = try await api.tempoJSON(path("{ } | rate() by(resource.service.name, span.shard)", more))["series"]
        #expect(
            series.array.map { $0["labels"] } == [
                [
                    ["key": "resource.service.name", "value": ["stringValue": "db"]],
                    ["key": "span.shard", "value": ["intValue": "1"]],
                ],
                [
                    ["key": "resource.service.name", "value": ["stringValue": "web"]],
                    ["key": "span.shard", "value": ["intValue": "0"]],
                ],
            ]
        )
        #expect(series[0]["samples"].array.map { $0["value"] } == [nil, 0.5, 0.5])
        let status = try await api.tempoJSON(path("{ } | count_over_time() by(span:status)", more))["series"]
        #expect(
            status.array.map { $0["labels"] } == [
                [["key": "status", "value": ["stringValue": "error"]]],
                [["key": "status", "value": ["stringValue": "unset"]]],
            ]
        )
        #expect(try await api.tempoJSON(path("{ .nosuch = 1 } | rate() by(.x)", more))["series"] == [])
    }

    @Test func `durations are in seconds, quantiles and buckets are numbers`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let more = "&start=\(Self.start)&end=\(Self.start + 120)&step=60s"
        let longest = try await api.tempoJSON(path("{ } | max_over_time(duration)", more))["series"][0]
        #expect(longest["samples"].array.map { $0["value"] } == [0.06, 0.12])
        #expect(longest["samples"].array.map { $0["timestampMs"] } == ["1795341060000", "1795341120000"])
        let quantile = try await api.tempoJSON(path("{ } | quantile_over_time(duration, .5)", more))["series"][0]
        #expect(quantile["labels"] == [["key": "p", "value": ["doubleValue": 0.5]]])
        let buckets = try await api.tempoJSON(path("{ } | histogram_over_time(duration)", more))["series"]
        #expect(buckets.array.allSatisfy { $0["labels"][0]["key"] == "__bucket" })
        #expect(buckets[0]["labels"][0]["value"].keys == ["doubleValue"])
    }

    @Test func `a selection is compared with the rest`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let more = "&start=\(Self.start)&end=\(Self.start + 120)&step=120s"
        let answer = try await api.tempoJSON(path("{ } | compare({ status = error })", more))
        let types = Set(answer["series"].array.map { $0["labels"].tag("__meta_type")["value"]["stringValue"].string })
        #expect(types == ["baseline", "selection", "baseline_total", "selection_total"])
    }

    @Test func `an instant query has one value of the whole range`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let more = "&start=\(Self.start)&end=\(Self.start + 240)"
        #expect(
            try await api.tempo(path("{ } | count_over_time() by(resource.service.name)", more, instant: true)) == """
                {"series":[{"labels":[{"key":"resource.service.name","value":{"stringValue":"db"}}],"value":60.0},\
                {"labels":[{"key":"resource.service.name","value":{"stringValue":"web"}}],"value":60.0}],\
                "metrics":{"completedJobs":1,"totalJobs":1,"inspectedSpans":"120"}}
                """
        )
        let rate = try await api.tempoJSON(path("{ } | rate()", more, instant: true))
        #expect(rate["series"][0]["value"] == 0.5)
        let message = try await api.tempoMessage(path("{ } | rate()", more, instant: true))
        #expect(message.messages(1).first?.numbers == [1, 2])
        #expect(message.messages(1).first?.double(2) == 0.5)
    }

    @Test func `a range is there as a message`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let message = try await api.tempoMessage(
            path("{ } | count_over_time()", "&start=\(Self.start)&end=\(Self.start + 60)&step=60")
        )
        #expect(message.numbers == [1, 2])
        let series = try #require(message.messages(1).first)
        #expect(series.messages(1).map { $0.text(1) } == ["__name__"])
        #expect(series.messages(1)[0].messages(2).first?.text(1) == "count_over_time")
        #expect(series.messages(2).map { $0.number(2) } == [1_795_341_000_000, 1_795_341_060_000])
        #expect(series.messages(2).map { $0.double(1) } == [nil, 60])
        let exemplar = try #require(series.messages(4).first)
        #expect(exemplar.messages(1).map { $0.text(1) } == ["trace:id", "span:id"])
        #expect((1_795_341_001_000...1_795_341_060_000).contains(try #require(exemplar.number(3))))
    }

    @Test func `an answer that is cut says so`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let query = path("{ } | rate() by(trace:id)", "&start=\(Self.start)&end=\(Self.start + 120)&step=60")
        let answer = try await api.tempoJSON("\(query)&maxSeries=7")
        #expect(answer["series"].array.count == 7)
        #expect(answer["status"] == "PARTIAL")
        #expect(
            answer["message"]
                == "The answer has the first 7 of 120 series, each of them exact: raise maxSeries, or group by less."
        )
        for usual in ["", "&maxSeries=0", "&maxSeries=-1", "&maxSeries=many"] {
            let answer = try await api.tempoJSON(query + usual)
            #expect(answer["series"].array.count == 120)
            #expect(answer.keys == ["series", "metrics"])
        }
        let message = try await api.tempoMessage("\(query)&maxSeries=7")
        #expect(message.number(3) == 1)
    }

    @Test(arguments: [
        ("&exemplars=2", 2), ("&exemplars=0", 100), ("&exemplars=many", 100), ("", 100), ("&exemplars=99999", 120),
    ])
    func `exemplars are as many as asked for`(more: String, most: Int) async throws {
        let api = try await APIUnderTest(Self.spans)
        let range = "&start=\(Self.start)&end=\(Self.start + 120)&step=1s"
        func count(_ query: String) async throws -> Int {
            try await api.tempoJSON(path(query, more + range))["series"][0]["exemplars"].array.count
        }
        let found = try await count("{ } | rate()")
        #expect(found <= most && found > 0)
        #expect(try await count("{ } | rate() with(exemplars=false)") == 0)
        #expect(try await count("{ } | rate() with(exemplars=1)") == 1)
    }

    @Test(arguments: [
        ("1795341000", "1795341060"), ("1795341000000000000", "1795341060000000000"),
        ("1795341000.0", "1795341060.000"),
        ("2026-11-22T09:50:00Z", "2026-11-22T09:51:00.000Z"), ("2026-11-22T10:50:00%2B01:00", "2026-11-22T09:51:00Z"),
        // The plus of the offset unescaped, as clients send it.
        ("2026-11-22T10:50:00+01:00", "2026-11-22T10:51:00+01:00"),
    ])
    func `moments come in many forms`(start: String, end: String) async throws {
        let api = try await APIUnderTest(Self.spans)
        let answer = try await api.tempoJSON(path("{ } | count_over_time()", "&start=\(start)&end=\(end)&step=60"))
        #expect(answer["series"][0]["samples"].array.map { $0["timestampMs"] } == ["1795341000000", "1795341060000"])
    }

    @Test func `without a range it is the last hour, or as long as asked for`() async throws {
        let api = try await APIUnderTest(Self.spans)
        func moments(_ more: String) async throws -> [JSONValue] {
            try await api.tempoJSON(path("{ } | count_over_time()", more))["series"][0]["samples"].array
                .map { $0["timestampMs"] }
        }
        #expect(try await moments("&step=30m") == ["1795338000000", "1795339800000", "1795341600000"])
        #expect(try await moments("&since=10m&step=10m") == ["1795341000000", "1795341600000"])
        #expect(try await moments("&since=1d&step=1d").count == 3)
        // An end in the future does not move the start.
        #expect(try await moments("&end=1795343400&step=30m").first == "1795338000000")
        // The name that older clients give the query.
        let older = try await api.tempoJSON("/api/metrics/query_range?query=%7B%7D%7Crate()&since=10m&step=10m")
        #expect(older["series"].array.count == 1)
    }

    @Test func `the step suits the range`() {
        #expect(TempoSeriesRequest.usualStep(3_600_000_000_000) == 15_000_000_000)
        #expect(TempoSeriesRequest.usualStep(30_000_000_000) == 100_000_000)
        #expect(TempoSeriesRequest.usualStep(1_000_000_000) == 50_000_000)
        #expect(TempoSeriesRequest.usualStep(86_400_000_000_000) == 300_000_000_000)
        #expect(TempoSeriesRequest.usualStep(2_592_000_000_000_000) == 10_800_000_000_000)
    }

    @Test(arguments: [
        (
            "{ }", "",
            "not a metrics query: end it with a function over time, as in { } | rate() or { } | count_over_time()"
        ),
        ("{ } | rate(", "", "invalid TraceQL query: parse error at line 1, col "),
        ("{ } | rate()", "&start=2&end=1", "end must be greater than start. received start=2000000000 end=1000000000"),
        (
            "{ } | rate()", "&start=now",
            "could not parse 'start' parameter: strconv.ParseInt: parsing \"now\": invalid syntax; "
                + "seconds or nanoseconds since 1970, or RFC 3339, are expected"
        ),
        ("{ } | rate()", "&since=1", "could not parse 'since' parameter: time: missing unit in duration \"1\""),
        ("{ } | rate()", "&step=often", "cannot parse \"often\" to a valid duration"),
        ("{ } | rate()", "&step=0", "step must be greater than 0. received 0"),
        ("{ } | rate()", "&step=-5s", "step must be greater than 0. received -5s"),
        (
            "{ } | rate()", "&start=1795341000&end=1795427400&step=1s",
            "step of 1s is too small, minimum step for given range is 8.64s"
        ),
    ])
    func `what cannot be answered is 400 in Tempo's words`(query: String, more: String, message: String) async throws {
        let api = try await APIUnderTest()
        for instant in [false, true] where !(instant && more.contains("step")) {
            let text = try await api.tempo(path(query, more, instant: instant), status: 400)
            #expect(message.hasSuffix(" ") ? text.hasPrefix(message) : text == message, "\(text)")
        }
    }

    @Test(arguments: [
        "&start=0&end=9223372036854775807", "&end=18446744073709551615", "&start=-5", "&start=1e300.", "&end=0.0",
    ])
    func `no time traps`(more: String) async throws {
        let api = try await APIUnderTest(Self.spans)
        for instant in [false, true] {
            _ = await api.askTempo(path("{ } | rate()", more, instant: instant))
        }
    }

    @Test func `an answer takes no more memory than answers may`() async throws {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Self.spans, receivedUnixNanos: 1))
        let api = APIUnderTest(over: store, answers: ByteBudget(limit: 20_000))
        let query = path("{ } | rate() by(trace:id)", "&start=\(Self.start)&end=\(Self.start + 120)&step=60")
        #expect(
            try await api.tempo(query, status: 422).contains("group by less, or ask for a greater step or fewer series")
        )
    }
}
