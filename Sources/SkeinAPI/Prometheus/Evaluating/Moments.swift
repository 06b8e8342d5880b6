// SPDX-License-Identifier: Apache-2.0

extension PromQL {
    /// The moments that a query is answered at, in milliseconds since 1970.
    struct Moments: Sendable {
        let first: Int
        /// 0 where there is one moment.
        let step: Int
        let count: Int
        /// When the query came.
        let now: Int

        /// Most moments of a query, as in Prometheus.
        static let countMax = 11_000

        /// One moment.
        init(at moment: Int, now: Int) {
            (first, step, count) = (moment, 0, 1)
            self.now = now
        }

        /// Every `step` from `first` up to and with `last`; `nil` when there are more than ``countMax``. `step` is above zero
        /// and `last` not before `first`.
        init?(from first: Int, through last: Int, step: Int, now: Int) {
            let steps = (last - first) / step
            guard steps < Self.countMax else { return nil }
            (self.first, self.step, count) = (first, step, steps + 1)
            self.now = now
        }

        subscript(index: Int) -> Int { first + index * step }
    }

    /// Samples of one series, one a moment; `nil` where it has none.
    struct SampleSeries: Sendable {
        var labels: LabelSet
        var values: [Double?]
    }

    /// What an expression is at each moment.
    enum Value: Sendable {
        case scalar([Double])
        case vector([SampleSeries])
        case string(String)
    }
}
