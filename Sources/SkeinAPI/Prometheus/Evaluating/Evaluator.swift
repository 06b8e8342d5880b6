// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

extension PromQL {
    /// Works an expression out, for all moments at once: what belongs to labels is then done once a series.
    struct Evaluator {
        let moments: Moments
        private let api: API
        private let call: APICall
        /// Holds memory for what is read and worked out.
        private(set) var room: AnswerRoom
        private var valueCount = 0
        private var sampleCount = 0

        /// Most numbers that are read for a query: a minute's count of one sort of spans is one, its buckets are one each.
        static let valueCountMax = 4_000_000
        /// Most samples that are made on the way to an answer.
        static let sampleCountMax = 4_000_000
        /// A sample, and that there is one.
        private static let sampleByteCount = MemoryLayout<Double?>.stride

        init(_ api: API, _ call: APICall, _ moments: Moments) {
            self.api = api
            self.call = call
            self.moments = moments
            room = AnswerRoom(api.answers, remedy: "take a shorter range, a longer step or a narrower selector")
        }

        mutating func evaluate(_ expression: Expression) async throws(APIError) -> Value {
            switch expression {
            case .number(let value): return .scalar(Array(repeating: value, count: moments.count))
            case .string(let text): return .string(text)
            case .range: throw .execution("A range vector is no answer: ask for rate(…) or increase(…) of it.")
            case .reading(let reading): return .vector(try await read(reading))
            case .vector(let operand):
                let values = try await scalar(operand)
                return .vector([SampleSeries(labels: LabelSet(), values: values.map { $0 })])
            case .quantile(let share, let operand):
                let shares = try await scalar(share)
                return .vector(try counted(HistogramQuantile.of(shares, try await vector(operand))))
            case .aggregation(let aggregation): return .vector(try await aggregate(aggregation))
            case .operation(let operation):
                let left = try await evaluate(operation.left)
                let right = try await evaluate(operation.right)
                return try counted(OperationFold.of(operation, left, right))
            case .negation(let operand):
                switch try await evaluate(operand) {
                case .scalar(let values): return .scalar(values.map { -$0 })
                case .vector(let series):
                    return .vector(
                        series.map { SampleSeries(labels: $0.labels.unnamed, values: $0.values.map { $0.map { -$0 } }) }
                    )
                case .string: throw .execution("A text has no negative.")
                }
            }
        }

        private mutating func scalar(_ expression: Expression) async throws(APIError) -> [Double] {
            guard case .scalar(let values) = try await evaluate(expression) else {
                throw .execution("\(expression) is no number.")
            }
            return values
        }

        private mutating func vector(_ expression: Expression) async throws(APIError) -> [SampleSeries] {
            guard case .vector(let series) = try await evaluate(expression) else {
                throw .execution("\(expression) is no instant vector.")
            }
            return series
        }

        private mutating func aggregate(_ aggregation: Aggregation) async throws(APIError) -> [SampleSeries] {
            // A sum of rates is the rate of the sum, since nothing here is ever reset: so the groups of dashboards are read, and
            // not the thousands of series that they are of.
            if aggregation.operation == .sum, case .reading(let reading) = aggregation.operand,
                reading.selector.metrics.count == 1
            {
                return try await read(reading, grouping: aggregation.grouping)
            }
            let operand = try await vector(aggregation.operand)
            guard let parameter = aggregation.parameter else {
                return try counted(AggregationFold.of(aggregation, operand))
            }
            let counts = try await scalar(parameter)
            return try counted(AggregationFold.extremes(aggregation, operand, counts))
        }

        // MARK: Reading

        private mutating func read(
            _ reading: Reading,
            grouping: Grouping? = nil
        ) async throws(APIError) -> [SampleSeries] {
            let windows = Windows(moments, millis: reading.windowMillis, offset: reading.selector.offsetMillis)
            var reader = SeriesReader(reading, grouping: grouping)
            for question in windows.questions {
                let slices = try await api.ask(call) { store throws(StoreError) in
                    try await store.rollup(question.range, step: question.step)
                }
                reader.add(slices)
                try hold(valueCount + reader.valueCount)
            }
            valueCount += reader.valueCount
            try count(reader.seriesCount)
            return reader.series(windows, moments)
        }

        private mutating func hold(_ values: Int) throws(APIError) {
            guard values <= Self.valueCountMax else {
                throw .overLimit(
                    "The query reads more than \(Self.valueCountMax) numbers, which is the limit: take a shorter range, "
                        + "a longer step, fewer series, or put sum by (…) around the rate."
                )
            }
            try room.hold(source: values * SeriesReader.valueByteCount + sampleCount * Self.sampleByteCount)
        }

        /// Counts the samples of so many series more.
        private mutating func count(_ seriesCount: Int) throws(APIError) {
            sampleCount += seriesCount * moments.count
            guard sampleCount <= Self.sampleCountMax else {
                throw .overLimit(
                    "The query makes more than \(Self.sampleCountMax) samples, which is the limit: take a shorter range, "
                        + "a longer step or fewer series."
                )
            }
            try hold(valueCount)
        }

        private mutating func counted(_ series: [SampleSeries]) throws(APIError) -> [SampleSeries] {
            try count(series.count)
            return series
        }

        private mutating func counted(_ value: Value) throws(APIError) -> Value {
            if case .vector(let series) = value { try count(series.count) }
            return value
        }
    }
}

extension APIError {
    /// A query that has no answer.
    static func execution(_ detail: String) -> APIError { APIError(422, "execution", detail) }

    /// A query that asks for too much.
    static func overLimit(_ detail: String) -> APIError { APIError(422, "limit-exceeded", detail) }
}
