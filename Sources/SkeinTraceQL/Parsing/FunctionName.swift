// SPDX-License-Identifier: Apache-2.0

/// Every word that parentheses follow.
enum FunctionName: String, CaseIterable {
    // Stages over spansets
    case by, coalesce, select
    // Aggregates
    case count, min, max, avg, sum
    // First stages over time
    case rate, compare
    case countOverTime = "count_over_time"
    case minOverTime = "min_over_time"
    case maxOverTime = "max_over_time"
    case avgOverTime = "avg_over_time"
    case sumOverTime = "sum_over_time"
    case quantileOverTime = "quantile_over_time"
    case histogramOverTime = "histogram_over_time"
    // Stages over series
    case topk, bottomk

    /// Where a function may stand.
    enum Place { case spansets, aggregate, first, series }

    var place: Place {
        switch self {
        case .by, .coalesce, .select: .spansets
        case .count, .min, .max, .avg, .sum: .aggregate
        case .topk, .bottomk: .series
        default: .first
        }
    }

    var aggregate: Aggregate.Function? { place == .aggregate ? Aggregate.Function(rawValue: rawValue) : nil }
}
