// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline
import Testing

struct TelemetryTests {
    @Test func `metrics are written as Prometheus reads them`() {
        let telemetry = Telemetry()
        let first = telemetry.counter("a_total", "How many.", ["kind": "x"])
        let gauge = telemetry.gauge("b", "How much.")
        _ = telemetry.counter("a_total", "How many.", ["kind": "y"])
        let histogram = telemetry.histogram("c_seconds", "How long.", bounds: [0.5, 1])
        first.add(3)
        gauge.add(-2)
        histogram.observe(.milliseconds(250))
        histogram.observe(0.75)
        histogram.observe(8)
        var text = PrometheusText()
        telemetry.write(to: &text)
        #expect(
            text.text == """
                # HELP a_total How many.
                # TYPE a_total counter
                a_total{kind="x"} 3
                a_total{kind="y"} 0
                # HELP b How much.
                # TYPE b gauge
                b -2
                # HELP c_seconds How long.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.5"} 1
                c_seconds_bucket{le="1"} 2
                c_seconds_bucket{le="+Inf"} 3
                c_seconds_sum 9
                c_seconds_count 3

                """
        )
    }

    @Test func `counting from many threads loses nothing`() async {
        let telemetry = Telemetry()
        let counter = telemetry.counter("a_total", "a")
        let histogram = telemetry.histogram("b_seconds", "b", bounds: [1])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.add()
                        histogram.observe(0.5)
                    }
                }
            }
        }
        #expect(counter.value == 8000)
        #expect(histogram.counts == [8000, 0])
        #expect(histogram.sum == 4000)
    }
}
