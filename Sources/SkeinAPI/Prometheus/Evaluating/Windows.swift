// SPDX-License-Identifier: Apache-2.0
import SkeinStore

extension PromQL {
    /// The stretches of time that a reading is of, one a moment, and what to ask the store to know them all.
    ///
    /// Rollups know minutes. So a stretch ends with the minute that its moment lies in; it begins with the minute that holds its
    /// begin, or, when it is five minutes and longer, at the minute nearest to it. Where a store knows hours only, the whole
    /// hours belong to it. What is counted in a stretch is a rate over as long as it really is, see ``Stretches``.
    struct Windows {
        /// First minutes since 1970, ascending.
        let firsts: [Int]
        /// The minutes behind the last ones, ascending.
        let ends: [Int]

        private static let minuteMillis = 60_000
        private static let hourMinutes = 60
        /// Windows this long and longer may lose half a minute at their begin.
        private static let longMillis = 300_000
        /// About how many slices are asked for at once, since each is large while it is read.
        private static let slicesAtOnce = 60

        /// Windows of `millis` before each moment, or of all that was before when `nil`; all `offset` milliseconds earlier.
        init(_ moments: Moments, millis: Int?, offset: Int) {
            var (firsts, ends): ([Int], [Int]) = ([], [])
            firsts.reserveCapacity(moments.count)
            ends.reserveCapacity(moments.count)
            for index in 0..<moments.count {
                let moment = max(0, moments[index] - offset)
                let end = max(1, (moment + Self.minuteMillis - 1) / Self.minuteMillis)
                var first = 0
                if let millis {
                    let start = max(0, moment - millis)
                    let rounding = millis >= Self.longMillis ? Self.minuteMillis / 2 : 0
                    first = min((start + rounding) / Self.minuteMillis, end - 1)
                }
                firsts.append(first)
                ends.append(end)
            }
            self.firsts = firsts
            self.ends = ends
        }

        /// A question to the store.
        struct Question: Hashable {
            var range: TimeRange
            /// In nanoseconds; one slice when `nil`.
            var step: UInt64?

            /// Minutes since 1970, and minutes of the step.
            init(_ first: Int, _ end: Int, step: Int?) {
                range = TimeRange(start: Self.nanos(first), end: Self.nanos(end))
                self.step = step.map { Self.nanos($0) }
            }

            private static func nanos(_ minutes: Int) -> UInt64 {
                let (nanos, isOver) = UInt64(minutes).multipliedReportingOverflow(by: RollupGrid.minuteNanos)
                return isOver ? .max : nanos
            }
        }

        /// What to ask, in order of time. No slice of the answers lies in a window in part only, but for hours that the store
        /// does not know better.
        var questions: [Question] {
            guard firsts.count > 1, let first = firsts.first, let end = ends.last else {
                return zip(firsts, ends).map { Question($0, $1, step: nil) }
            }
            // What is counted of all that was before is the same for every moment up to the first.
            let isOfAll = firsts.last == 0
            var start = (isOfAll ? ends[0] : first) / Self.hourMinutes * Self.hourMinutes
            var questions: [Question] = isOfAll && start > 0 ? [Question(0, start, step: nil)] : []
            let step = commonStep
            let length = Swift.max(1, step * Self.slicesAtOnce / Self.hourMinutes) * Self.hourMinutes
            var window = 0
            while start < end {
                // Between short windows nothing is asked.
                while ends[window] <= start { window += 1 }
                if firsts[window] < start + length {
                    questions.append(Question(start, start + length, step: step))
                    start += length
                } else {
                    start = firsts[window] / Self.hourMinutes * Self.hourMinutes
                }
            }
            return questions
        }

        /// The minutes at whose multiples all windows begin and end.
        private var commonStep: Int {
            var step = 0
            for value in firsts + ends {
                var (a, b) = (step, value)
                while b != 0 { (a, b) = (b, a % b) }
                step = a
                if step == 1 { break }
            }
            return Swift.max(1, step)
        }
    }

    /// Which slices of a rollup each window holds, and how long they are together.
    struct Stretches {
        /// By window.
        private(set) var slices: [Range<Int>] = []
        /// By window.
        private(set) var seconds: [Double] = []

        /// - Parameters:
        ///   - starts: First minutes of slices, ascending.
        ///   - ends: The minutes behind the last ones of slices.
        ///   - moments: Those of `windows`.
        ///   - offset: How many milliseconds the windows lie before them.
        init(_ windows: Windows, starts: [Int], ends: [Int], _ moments: Moments, offset: Int) {
            var (first, end) = (0, 0)
            for index in windows.firsts.indices {
                while first < ends.count, ends[first] <= windows.firsts[index] { first += 1 }
                while end < starts.count, starts[end] < windows.ends[index] { end += 1 }
                var (start, last) = (windows.firsts[index], windows.ends[index])
                if first < end {
                    start = min(start, starts[first])
                    last = max(last, ends[end - 1])
                }
                slices.append(first..<Swift.max(first, end))
                // What is still to come was not counted.
                let behind = min(last * 60_000, Swift.max(moments.now, moments[index] - offset))
                seconds.append(Double(Swift.max(behind - start * 60_000, 1_000)) / 1_000)
            }
        }
    }
}
