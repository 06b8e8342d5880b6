// SPDX-License-Identifier: Apache-2.0

/// Finds the span of a trace that says why its trace was kept: the root, or the earliest span where no root came. Of equal
/// ones the first counts.
package struct ReasonSpan: Hashable, Sendable {
    /// The attribute that names the policy.
    package static let reasonKey = "skein.sampling.reason"
    /// The attribute, a double, that late sampling adds where a policy kept one of so many traces by other means than a
    /// threshold, which the `tracestate` names.
    package static let factorKey = "skein.sampling.factor"
    /// The attribute, an integer, that late sampling adds where the trace passed a threshold other than 0, which may be below
    /// what the `tracestate` names. Late sampling lets no client say this or the factor.
    package static let thresholdKey = "skein.sampling.threshold"

    private var isRoot = false
    private var startUnixNanos = UInt64.max
    /// Of the best span so far; zero before the first.
    package private(set) var spanID = SpanID.zero
    /// Raw value of the span's ``Span/Kind``.
    package private(set) var kind: UInt8 = 0

    package init() {}

    /// Takes row `row` of a batch if it is better than what was there; returns whether it is.
    package mutating func takes(_ row: Int, of batch: SpanBatch) -> Bool {
        let isRoot = !batch.parentSpanIDs[row].isValid
        let start = batch.startUnixNanos[row]
        let isBetter = isRoot == self.isRoot ? start < startUnixNanos : isRoot
        guard isBetter || !spanID.isValid else { return false }
        (self.isRoot, startUnixNanos) = (isRoot, start)
        (spanID, kind) = (batch.spanIDs[row], batch.kinds[row])
        return true
    }
}
