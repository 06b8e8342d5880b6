// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import Testing

@testable import SkeinStore

@Suite struct DurationBucketTests {
    /// The bucket by its definition: the least `n` with `d^8 <= 2^(n-1)`, in whole numbers of any length.
    private func exact(_ nanos: UInt64) -> Int {
        guard nanos > 0 else { return 0 }
        var limbs: [UInt64] = [1]
        for _ in 0..<8 {
            var carry: UInt64 = 0
            for index in limbs.indices {
                let product = limbs[index].multipliedFullWidth(by: nanos)
                let (low, overflow) = product.low.addingReportingOverflow(carry)
                limbs[index] = low
                carry = product.high + (overflow ? 1 : 0)
            }
            limbs.append(carry)
        }
        let bits = limbs.enumerated().reduce(0) {
            $1.element == 0 ? $0 : $1.offset * 64 + 64 - $1.element.leadingZeroBitCount
        }
        let isPower = limbs.reduce(0) { $0 + $1.nonzeroBitCount } == 1
        return (isPower ? bits - 1 : bits) + 1
    }

    @Test func `every duration lies in the bucket that its definition says`() {
        var random = SeededRandom(seed: 1)
        var durations: [UInt64] = [0, .max] + Array(1...3_000)
        for number in 0..<DurationBucket.count {
            let bound = DurationBucket.upperBoundNanos(number)
            durations += [bound &- 1, bound, bound &+ 1]
        }
        for _ in 0..<20_000 { durations.append(random.next() >> UInt64.random(in: 0..<64, using: &random)) }
        for nanos in durations {
            guard DurationBucket.number(of: nanos) == exact(nanos) else {
                Issue.record("\(nanos) lies in \(DurationBucket.number(of: nanos)), not \(exact(nanos))")
                return
            }
        }
    }

    @Test func `a bucket ends with its longest duration`() {
        for nanos in [1, 2, 3, 4, 8, 1_000, 1_000_000, 1 << 40, .max] as [UInt64] {
            let number = DurationBucket.number(of: nanos)
            #expect(nanos <= DurationBucket.upperBoundNanos(number))
            #expect(number == 1 || nanos > DurationBucket.upperBoundNanos(number - 1))
        }
        #expect(DurationBucket.number(of: .max) == DurationBucket.count - 1)
    }

    @Test func `a quantile is within 4.5 percent of the duration at its place`() throws {
        var random = SeededRandom(seed: 2)
        for round in 0..<50 {
            var durations: [UInt64] = []
            var distribution = DurationDistribution()
            for _ in 0...(round * 7) {
                let nanos = random.next() >> UInt64.random(in: 1..<60, using: &random)
                durations.append(nanos)
                distribution.add(durationNanos: nanos, weight: 1, traceID: TraceID(high: 0, low: 1))
            }
            durations.sort()
            for quantile in [0, 0.01, 0.5, 0.9, 0.95, 0.99, 1] {
                let place = max(1, Int((quantile * Double(durations.count)).rounded(.up)))
                let wanted = Double(durations[place - 1])
                let found = try #require(distribution.quantileNanos(quantile))
                #expect(abs(found - wanted) <= wanted * 0.0443)
            }
        }
        #expect(DurationDistribution().quantileNanos(0.5) == nil)
    }

    @Test func `a weight that is no positive number counts nothing, a huge one has a limit`() {
        for weight: Double in [0, -1, .nan, -Double.infinity] {
            #expect(DurationDistribution.units(ofWeight: weight) == 0)
        }
        #expect(DurationDistribution.units(ofWeight: 1) == 65_536)
        #expect(DurationDistribution.units(ofWeight: 1e300) == 1 << 36)
    }
}
