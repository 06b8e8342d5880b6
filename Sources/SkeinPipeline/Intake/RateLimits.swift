// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel
import Synchronization

/// How much each service may send, so that one that went wild does not take the room of all.
///
/// A request with spans of a service that sends more is refused whole, and may be sent again: senders that collect for many
/// services are slowed as one. A service that has been quiet may send a second's worth at once, and a request larger than
/// that is taken when nothing is owed, and paid off after.
package final class RateLimits: IntakeStage {
    /// Most a service may send in a second; `nil` for any amount.
    package struct Rates: Hashable, Sendable {
        package var spans: Int?
        /// Of memory that the spans take once they are decoded.
        package var bytes: Int?

        package init(spans: Int? = nil, bytes: Int? = nil) {
            self.spans = spans
            self.bytes = bytes
        }
    }

    /// Services that are told apart, by a hash of their names; those beyond are one while so many send at once.
    private static let serviceCountMax = 10_000
    private static let othersKey: UInt64 = 0
    private static let nanosPerSecond = 1e9
    /// The longest that a sender is told to wait.
    private static let waitSecondsMax = 60.0

    private let rates: Rates
    /// What is counted, as senders are told.
    private let noun: String
    private let clock: any WallClock
    private let buckets = Mutex<[UInt64: Bucket]>([:])

    /// What a service may send now; below zero what it owes.
    private struct Bucket {
        var spans: Double
        var bytes: Double
        var filledNanos: UInt64
    }

    package init(_ rates: Rates, of noun: String = "spans", clock: any WallClock) {
        self.rates = rates
        self.noun = noun
        self.clock = clock
    }

    package func process(_ batch: SpanBatch, from source: IntakeSource) throws(Refusal) -> SpanBatch {
        var counts: [UInt64: (service: UInt32, count: Int)] = [:]
        var perResource = [Int](repeating: 0, count: batch.resources.count)
        for row in batch.resourceRows { perResource[Int(row)] += 1 }
        for (row, count) in perResource.enumerated() where count > 0 {
            let service = batch.resources.serviceNameRefs[row]
            let key = batch.dictionary.withBytes(service) { Hash.of($0, seed: Hash.processSeed) } | 1
            counts[key, default: (service, 0)].count += count
        }
        let bytesEach = Double(batch.byteCount) / Double(max(batch.count, 1))
        let now = clock.monotonicNanos
        let refusal = buckets.withLock { buckets -> Refusal? in
            if buckets.count + counts.count > Self.serviceCountMax { forgetFull(&buckets, now) }
            var paid: [UInt64: Bucket] = [:]
            for (ownKey, (service, count)) in counts {
                let isKnown = buckets[ownKey] != nil || buckets.count + paid.count < Self.serviceCountMax
                let key = isKnown ? ownKey : Self.othersKey
                var bucket = paid[key] ?? filled(buckets[key], now)
                let isOwing = rates.spans != nil && bucket.spans <= 0 || rates.bytes != nil && bucket.bytes <= 0
                // What services beyond the limit share may be owed by this request itself.
                if isOwing, paid[key] == nil { return refused(batch.dictionary.string(service), bucket) }
                if rates.spans != nil { bucket.spans -= Double(count) }
                if rates.bytes != nil { bucket.bytes -= Double(count) * bytesEach }
                paid[key] = bucket
            }
            buckets.merge(paid) { $1 }
            return nil
        }
        if let refusal { throw refusal }
        return batch
    }

    /// Forgets services that owe nothing: they begin with as much as they have.
    private func forgetFull(_ buckets: inout [UInt64: Bucket], _ now: UInt64) {
        buckets = buckets.filter { _, bucket in
            let bucket = filled(bucket, now)
            return bucket.spans < Double(rates.spans ?? 0) || bucket.bytes < Double(rates.bytes ?? 0)
        }
    }

    private func filled(_ bucket: Bucket?, _ now: UInt64) -> Bucket {
        let (spans, bytes) = (Double(rates.spans ?? 0), Double(rates.bytes ?? 0))
        guard var bucket else { return Bucket(spans: spans, bytes: bytes, filledNanos: now) }
        let seconds = Double(now &- min(bucket.filledNanos, now)) / Self.nanosPerSecond
        bucket.spans = min(bucket.spans + seconds * spans, spans)
        bucket.bytes = min(bucket.bytes + seconds * bytes, bytes)
        bucket.filledNanos = now
        return bucket
    }

    private func refused(_ service: String, _ bucket: Bucket) -> Refusal {
        var limit = "\(rates.bytes ?? 0) bytes"
        if let spans = rates.spans, bucket.spans <= 0 { limit = "\(spans) \(noun)" }
        return Refusal(
            .rateLimited,
            "the service \"\(service.prefix(100))\" sends more than \(limit) a second: send less, sample, or raise the limit",
            retryAfterSeconds: secondsOwed(bucket)
        )
    }

    /// Whole seconds until the service owes nothing, of which senders are told no more than a minute.
    private func secondsOwed(_ bucket: Bucket) -> Int {
        func seconds(_ left: Double, _ rate: Int?) -> Double {
            guard let rate, rate > 0, left <= 0 else { return 0 }
            return -left / Double(rate)
        }
        let owed = max(seconds(bucket.spans, rates.spans), seconds(bucket.bytes, rates.bytes))
        // At the full second there is something again.
        return Int(min(owed, Self.waitSecondsMax - 1).rounded(.down)) + 1
    }
}
