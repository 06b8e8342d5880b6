// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import SkeinBase
import SkeinCompression
import SkeinModel
package import SkeinPipeline
import SkeinWire

/// One request with spans, whatever its format and whatever it came over: inflate, decode, store, and count what was left
/// out.
package struct SpanIntake: Sendable {
    let pipeline: Pipeline
    let counters: IngestCounters
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

    /// Stores the spans that `decode` finds in a body, received at a moment in nanoseconds since 1970; returns when they are
    /// as durable as the store promises. `memory` holds the body, and from when it is decoded what came of it.
    func receive(
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        memory: HeldMemory? = nil,
        decode: (UnsafeRawBufferPointer, UInt64) throws(WireError) -> DecodedSpans
    ) async throws(Refusal) -> DecodedSpans {
        counters.bytes.add(body.readableBytes)
        let memory = memory ?? HeldMemory(pipeline.budget)
        let decoded = try reader.read(body, coding: coding, memory: memory, decode: decode)
        // The store may make us wait.
        _ = consume body
        counters.receivedSpans.add(decoded.accepted + decoded.rejectedCount)
        for (reason, count) in decoded.rejected { counters.reject(count, SpanRejection(reason)) }
        counters.drop(decoded.dropped.attributes, .attributes)
        counters.drop(decoded.dropped.events, .events)
        counters.drop(decoded.dropped.links, .links)
        try pipeline.hold(decoded.batch, in: memory, counters: counters)
        try await pipeline.submit(decoded.batch, counters: counters)
        return decoded
    }
}
