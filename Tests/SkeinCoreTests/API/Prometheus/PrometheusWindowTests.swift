// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import Testing

@testable import SkeinAPI

@Suite struct PrometheusWindowTests {
    private static let hour = 3_600_000
    private static let day = 24 * hour

    private func questions(_ moments: PromQL.Moments?, _ millis: Int?, offset: Int = 0) throws -> [String] {
        PromQL.Windows(try #require(moments), millis: millis, offset: offset).questions.map { question in
            let minute = RollupGrid.minuteNanos
            let step = question.step.map { " by \($0 / minute)" } ?? ""
            return "\(question.range.start / minute)..<\(question.range.end / minute)\(step)"
        }
    }

    @Test func `one moment is one slice`() throws {
        #expect(try questions(.init(at: 90_000, now: 0), 60_000) == ["0..<2"])
        #expect(try questions(.init(at: 10 * Self.hour, now: 0), 300_000) == ["595..<600"])
        #expect(try questions(.init(at: 10 * Self.hour, now: 0), nil) == ["0..<600"])
        #expect(try questions(.init(at: 10 * Self.hour, now: 0), 300_000, offset: Self.hour) == ["535..<540"])
        #expect(try questions(.init(at: 0, now: 0), 300_000) == ["0..<1"])
        #expect(try questions(.init(at: 600_000, now: 0), 1) == ["9..<10"])
    }

    @Test func `slices are as long as windows and steps allow, and hours are asked for whole`() throws {
        let day = Self.day
        #expect(
            try questions(.init(from: 100 * day, through: 101 * day, step: Self.hour, now: 0), Self.hour)
                == ["143940..<147540 by 60"]
        )
        #expect(
            try questions(.init(from: 100 * day, through: 100 * day + 2 * Self.hour, step: 15_000, now: 0), 60_000)
                == ["143940..<144000 by 1", "144000..<144060 by 1", "144060..<144120 by 1"]
        )
        // What was before is one slice.
        #expect(
            try questions(.init(from: 100 * day, through: 100 * day + Self.hour, step: 300_000, now: 0), nil)
                == ["0..<144000", "144000..<144300 by 5"]
        )
    }

    @Test func `nothing is asked between short windows`() throws {
        #expect(
            try questions(.init(from: 100 * Self.day, through: 102 * Self.day, step: Self.day, now: 0), 60_000)
                == ["143940..<144000 by 1", "145380..<145440 by 1", "146820..<146880 by 1"]
        )
    }

    @Test func `hours that nobody knows better belong to a window whole`() {
        let moments = PromQL.Moments(at: 90 * 60_000, now: 10 * Self.hour)
        let windows = PromQL.Windows(moments, millis: 300_000, offset: 0)
        let known = PromQL.Stretches(windows, starts: [60], ends: [120], moments, offset: 0)
        #expect(known.slices == [0..<1] && known.seconds == [3_600])
        let unknown = PromQL.Stretches(windows, starts: [], ends: [], moments, offset: 0)
        #expect(unknown.slices == [0..<0] && unknown.seconds == [300])
    }

    @Test func `buckets of rollups fall where their middle lies`() {
        let bounds = LatencyBounds.spans
        #expect(bounds.texts.count == 15 && bounds.texts.first == "0.002" && bounds.texts[13] == "16.384")
        #expect(bounds.texts.last == "+Inf")
        #expect(LatencyBounds.requests.texts == ["0.1", "0.2", "0.4", "0.8", "1.6", "3.2", "6.4", "12.8", "+Inf"])
        for number in 1..<DurationBucket.count {
            let place = bounds.place(ofBucket: UInt16(number))
            let longest = DurationBucket.upperBoundNanos(number)
            #expect(bounds.place(ofNanos: longest - longest / 11) <= place && place <= bounds.place(ofNanos: longest))
        }
        #expect(bounds.place(ofBucket: .max) == 14)
    }

    @Test func `windows of seven minutes side by side count every span once`() async throws {
        let spans = (0..<60).flatMap { OrderTraffic.order(minute: UInt64($0), trace: UInt64($0) + 1) }
        let api = try await APIUnderTest(spans)
        let query = "sum(increase(traces_service_graph_request_total{client=\"web\"}[7m]))"
        let found = try await api.series(
            query,
            from: OrderTraffic.start + 420,
            through: OrderTraffic.start + 3_360,
            step: 420
        )
        #expect(found == ["{} " + Array(repeating: "7", count: 8).joined(separator: " ")])
    }
}
