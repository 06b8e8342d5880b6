// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import SkeinBase
import SkeinCompression
import SkeinModel
package import SkeinPipeline
import SkeinWire

extension IngestCounters {
    /// Counts what a decoder left out of spans that are accepted.
    func drop(_ dropped: DroppedItems) {
        drop(dropped.attributes, .attributes)
        drop(dropped.events, .events)
        drop(dropped.links, .links)
        drop(dropped.invalidLinks, .invalidLinks)
    }
}

/// One request with spans, whatever its format and whatever it came over: inflate, decode, store, and count what was left
/// out.
package struct SpanIntake: Sendable {
    let pipeline: Pipeline
    private(set) var counters: IngestCounters
    private let reader: BodyReader

    /// How much the spans of a request may become.
    var limits: DecodingLimits { reader.limits }

    /// An intake of requests up to `bytesMax` bytes after decompression; decoded they may have twice as many, which only
    /// those reach that hold next to nothing many times. Of a span `itemsMax` attributes, events and links are taken.
    package init(
        pipeline: Pipeline,
        counters: IngestCounters,
        bytesMax: Int,
        itemsMax: Int = DecodingLimits().itemsMax,
        clock: any WallClock = SystemClock()
    ) {
        self.pipeline = pipeline
        self.counters = counters
        reader = BodyReader(bytesMax: bytesMax, itemsMax: itemsMax, clock: clock)
    }

    /// The same for a request whose sender imports traces and wants all of them.
    var importing: SpanIntake {
        var intake = self
        intake.counters = counters.importing
        return intake
    }

    /// What became of a request.
    struct Receipt {
        /// What was found in it.
        let decoded: DecodedSpans
        /// Spans left out of what was found, since their traces have as many as they may, and what is said of that.
        let overflowCount: Int
        let overflowMessage: String
    }

    /// Stores the spans that `decode` finds in a body, received at a moment in nanoseconds since 1970; returns when they are
    /// as durable as the store promises. `memory` holds the body, and from when it is decoded what came of it.
    func receive(
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        memory: HeldMemory? = nil,
        decode: (UnsafeRawBufferPointer, UInt64) throws(WireError) -> DecodedSpans
    ) async throws(Refusal) -> Receipt {
        counters.bytes.add(body.readableBytes)
        let memory = memory ?? HeldMemory(pipeline.budget)
        let decoded = try reader.read(body, coding: coding, memory: memory, decode: decode)
        // The store may make us wait.
        _ = consume body
        counters.receivedSpans.add(decoded.accepted + decoded.rejectedCount)
        for (reason, count) in decoded.rejected { counters.reject(count, SpanRejection(reason)) }
        counters.drop(decoded.dropped)
        try pipeline.hold(decoded.batch, in: memory, counters: counters)
        let overflowCount = try await pipeline.submit(decoded.batch, counters: counters)
        return Receipt(
            decoded: decoded,
            overflowCount: overflowCount,
            overflowMessage: overflowCount > 0 ? pipeline.overflowMessage(overflowCount) : ""
        )
    }
}
