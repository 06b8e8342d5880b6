// SPDX-License-Identifier: Apache-2.0

extension PromQL {
    /// Brings two operands together (PromQL, "Binary operators").
    enum OperationFold {
        static func of(_ operation: Operation, _ left: Value, _ right: Value) throws(APIError) -> Value {
            switch (left, right) {
            case (.scalar(let a), .scalar(let b)):
                return .scalar(zip(a, b).map { result(operation, $0, $1, kept: $0) ?? 0 })
            case (.vector(let series), .scalar(let values)):
                return .vector(each(operation, series) { result(operation, $0, values[$1], kept: $0) })
            case (.scalar(let values), .vector(let series)):
                return .vector(each(operation, series) { result(operation, values[$1], $0, kept: $0) })
            case (.vector(let a), .vector(let b)):
                return .vector(operation.sign.isOfSets ? sets(operation, a, b) : try pairs(operation, a, b))
            case (.string, _), (_, .string):
                throw .execution("\(operation.sign.rawValue) takes numbers and instant vectors, not texts.")
            }
        }

        /// What two samples come to; `nil` where a comparison does not hold. `kept` is what stays where it holds.
        private static func result(_ operation: Operation, _ a: Double, _ b: Double, kept: Double) -> Double? {
            let holds: Bool
            switch operation.sign {
            case .add: return a + b
            case .subtract: return a - b
            case .multiply: return a * b
            case .divide: return a / b
            case .equal: holds = a == b
            case .notEqual: holds = a != b
            case .less: holds = a < b
            case .lessOrEqual: holds = a <= b
            case .greater: holds = a > b
            case .greaterOrEqual: holds = a >= b
            case .and, .or, .unless: return nil
            }
            if operation.isBool { return holds ? 1 : 0 }
            return holds ? kept : nil
        }

        /// What is calculated is no sample of the metric any more.
        private static func labels(_ labels: LabelSet, after operation: Operation) -> LabelSet {
            operation.sign.isComparison && !operation.isBool ? labels : labels.unnamed
        }

        private static func each(
            _ operation: Operation,
            _ series: [SampleSeries],
            _ result: (Double, _ moment: Int) -> Double?
        ) -> [SampleSeries] {
            series.map { one in
                SampleSeries(
                    labels: labels(one.labels, after: operation),
                    values: one.values.enumerated().map { moment, value in value.flatMap { result($0, moment) } }
                )
            }
        }

        // MARK: Two vectors

        /// The labels by which samples find each other.
        private static func key(_ labels: LabelSet, _ operation: Operation) -> LabelSet {
            guard let matching = operation.matching else { return labels.unnamed }
            return labels.keeping(matching.keeps)
        }

        /// Each series with the one of equal labels.
        private static func pairs(
            _ operation: Operation,
            _ left: [SampleSeries],
            _ right: [SampleSeries]
        ) throws(APIError) -> [SampleSeries] {
            var partners: [LabelSet: Int] = [:]
            for (index, one) in right.enumerated() {
                let key = key(one.labels, operation)
                guard partners.updateValue(index, forKey: key) == nil else { throw severalOf(key, operation, "right") }
            }
            var isTaken: Set<LabelSet> = []
            var found: [SampleSeries] = []
            for one in left {
                let key = key(one.labels, operation)
                guard let partner = partners[key] else { continue }
                guard isTaken.insert(key).inserted else { throw severalOf(key, operation, "left") }
                let kept = one.labels.keeping { name in
                    operation.matching.map { $0.keeps(name) || $0.isIgnoring && name == LabelSet.metricName } ?? true
                }
                found.append(
                    SampleSeries(
                        labels: labels(kept, after: operation),
                        values: zip(one.values, right[partner].values).map { a, b in
                            guard let a, let b else { return nil }
                            return result(operation, a, b, kept: a)
                        }
                    )
                )
            }
            return found
        }

        private static func severalOf(_ key: LabelSet, _ operation: Operation, _ side: String) -> APIError {
            let text = key.labels.map { "\($0.name)=\(GoText.quote($0.value))" }.joined(separator: ",")
            return .execution(
                "Several series on the \(side) of \(operation.sign.rawValue) have the labels {\(text)}: "
                    + "name more labels in on (…), or aggregate that side with sum by (…)."
            )
        }

        /// Samples of the left, or of both sides, by what the other side has at the moment.
        private static func sets(
            _ operation: Operation,
            _ left: [SampleSeries],
            _ right: [SampleSeries]
        ) -> [SampleSeries] {
            switch operation.sign {
            case .and, .unless:
                let known = presence(right, operation)
                return left.compactMap { keeping($0, where: operation.sign == .and, known, operation) }
            default:
                let known = presence(left, operation)
                return joined(left + right.compactMap { keeping($0, where: false, known, operation) })
            }
        }

        /// By labels, the moments at which there is a sample.
        private static func presence(_ series: [SampleSeries], _ operation: Operation) -> [LabelSet: [Bool]] {
            var presence: [LabelSet: [Bool]] = [:]
            for one in series {
                let key = key(one.labels, operation)
                var isThere = presence[key] ?? Array(repeating: false, count: one.values.count)
                for (moment, value) in one.values.enumerated() where value != nil { isThere[moment] = true }
                presence[key] = isThere
            }
            return presence
        }

        /// The samples of a series at whose moments the other side has one, or has none; `nil` when none is left.
        private static func keeping(
            _ series: SampleSeries,
            where isThere: Bool,
            _ presence: [LabelSet: [Bool]],
            _ operation: Operation
        ) -> SampleSeries? {
            var kept = series
            let other = presence[key(series.labels, operation)]
            for moment in kept.values.indices where (other?[moment] ?? false) != isThere { kept.values[moment] = nil }
            return kept.values.contains { $0 != nil } ? kept : nil
        }

        /// Series of equal labels, of which one or the other has a sample at a moment, are one.
        private static func joined(_ series: [SampleSeries]) -> [SampleSeries] {
            var places: [LabelSet: Int] = [:]
            var joined: [SampleSeries] = []
            for one in series {
                guard let place = places[one.labels] else {
                    places[one.labels] = joined.count
                    joined.append(one)
                    continue
                }
                for (moment, value) in one.values.enumerated() where joined[place].values[moment] == nil {
                    joined[place].values[moment] = value
                }
            }
            return joined
        }
    }
}
