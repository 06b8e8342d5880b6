// SPDX-License-Identifier: Apache-2.0

extension SeriesFold {
    /// The series of what was added up.
    func series(_ sum: Sum) -> [Series] {
        var cells = sum.cells
        // Nothing at all is a series of zeros where spans are counted and nothing tells series apart.
        if cells.keys.isEmpty, groups.isEmpty, cells.kind == .counts { _ = try? cells.series([]) }
        var made: [[Series]] = []
        for (number, key) in cells.keys.enumerated() {
            let range = (number * grid.count)..<((number + 1) * grid.count)
            made.append(series(of: key, cells, range))
        }
        for (moment, pick) in sum.exemplars.first(exemplarCountMax) where made.indices.contains(pick.series) {
            attach(pick.exemplar, at: moment, to: &made[pick.series])
        }
        return made.flatMap(\.self)
    }

    private func series(of key: [Value], _ cells: SeriesCells, _ range: Range<Int>) -> [Series] {
        let labels = labels(of: key)
        let named = labels.isEmpty ? [Series.name(function.name)] : labels
        switch function {
        case .rate: return [Series(labels: named, values: range.map { cells.counts[$0] / grid.stepSeconds })]
        case .count: return [Series(labels: named, values: range.map { cells.counts[$0] })]
        case .sum, .minimum, .maximum:
            return Self.numbers(named, range.map { cells.counts[$0] > 0 ? cells.numbers[$0] : nil })
        case .average:
            return Self.numbers(named, range.map { cells.counts[$0] > 0 ? cells.numbers[$0] / cells.counts[$0] : nil })
        case .quantiles(let field, let shares):
            let unit = field.field.isDuration ? 1e9 : 1
            return shares.map { share in
                let values = range.map { Log2Histogram.quantile(share, of: cells.histogram($0)).map { $0 / unit } }
                return Series(labels: labels + [.init("p", .double(share))], values: values)
            }
        case .histogram(let field):
            let unit = field.field.isDuration ? 1e9 : 1
            return (0..<Log2Histogram.bucketCount).compactMap { bucket in
                let values = range.map { cell -> Double in
                    let histogram = cells.histogram(cell)
                    return histogram.isEmpty ? 0 : histogram[histogram.startIndex + bucket]
                }
                guard values.contains(where: { $0 > 0 }) else { return nil }
                let limit = Log2Histogram.limit(of: bucket) / unit
                return Series(labels: labels + [.init("__bucket", .double(limit))], values: values)
            }
        case .compare: return []
        }
    }

    /// A sample that is not a number, as of infinities that cancel out, is none, and a series of such is left out.
    private static func numbers(_ labels: [Series.Label], _ values: [Double?]) -> [Series] {
        let values = values.map { value in value.flatMap { $0.isNaN ? nil : $0 } }
        return values.contains { $0 != nil } ? [Series(labels: labels, values: values)] : []
    }

    /// Groups without a value are left out; when all are, the first one says so.
    private func labels(of key: [Value]) -> [Series.Label] {
        let labels = zip(groups, key).compactMap { field, value in
            value == .none ? nil : Series.Label(field.text, value)
        }
        if labels.isEmpty, let first = groups.first { return [Series.Label(first.text, .string("nil"))] }
        return labels
    }

    /// Exemplars of a count stand where the sample does, others where their own value is.
    private func attach(_ exemplar: Series.Exemplar, at moment: Int, to series: inout [Series]) {
        guard !series.isEmpty else { return }
        var exemplar = exemplar
        var place = 0
        switch function {
        case .rate, .count: exemplar.value = series[0].values[moment] ?? exemplar.value
        case .histogram:
            place = series.firstIndex { ($0.labels.last?.value.number ?? 0) >= exemplar.value } ?? series.count - 1
        case .quantiles:
            // The least quantile that is not below the value, or else the greatest.
            place = series.firstIndex { ($0.values[moment] ?? 0) >= exemplar.value } ?? series.count - 1
        default: break
        }
        series[place].exemplars.append(exemplar)
    }
}
