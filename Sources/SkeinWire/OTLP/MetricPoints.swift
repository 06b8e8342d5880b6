// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension OTLP {
    /// How many data points a request with metrics has; nothing else of it is read (opentelemetry-proto 1.9
    /// `metrics/v1/metrics.proto`).
    ///
    ///     ExportMetricsServiceRequest { 1 resource_metrics { 2 scope_metrics { 2 metrics } } }
    ///     Metric { 5 gauge, 7 sum, 9 histogram, 10 exponential_histogram, 11 summary }, each { 1 data_points* }
    package enum MetricPoints {
        package static func count(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) -> Int {
            try count(ProtobufReader(bytes), below: [[1], [2], [2], [5, 7, 9, 10, 11], [1]][...])
        }

        /// The fields on the way of `path`'s last numbers, of which each step takes one.
        private static func count(
            _ message: ProtobufReader,
            below path: ArraySlice<Set<UInt64>>
        ) throws(WireError) -> Int {
            guard let numbers = path.first else { return 1 }
            var count = 0
            var message = message
            while let tag = try message.nextTag() {
                if tag & 7 == 2, numbers.contains(tag >> 3) {
                    count += try Self.count(try message.readMessage(), below: path.dropFirst())
                } else {
                    try message.skip(tag)
                }
            }
            return count
        }

        private static let jsonPath: [[StaticString]] = [
            ["resourceMetrics"], ["scopeMetrics"], ["metrics"],
            ["gauge", "sum", "histogram", "exponentialHistogram", "summary"], ["dataPoints"],
        ]

        package static func count(json text: UnsafeRawBufferPointer) throws(WireError) -> Int {
            var json = JSONReader(text)
            let count = try count(&json, below: jsonPath[...])
            try json.finish()
            return count
        }

        private static func count(
            _ json: inout JSONReader,
            below path: ArraySlice<[StaticString]>
        ) throws(WireError) -> Int {
            guard let keys = path.first else {
                try json.skipValue()
                return 1
            }
            var count = 0
            try json.openObject()
            while let key = try json.nextKey() {
                guard keys.contains(where: { $0 ~= key }) else {
                    try json.skipValue()
                    continue
                }
                switch try json.peek() {
                case .array:
                    try json.openArray()
                    while try json.nextElement() { count += try Self.count(&json, below: path.dropFirst()) }
                case .object: count += try Self.count(&json, below: path.dropFirst())
                default: try json.skipValue()
                }
            }
            return count
        }
    }
}
