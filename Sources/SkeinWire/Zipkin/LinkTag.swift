// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Zipkin {
    /// A link in the value of a tag `otlp.link.N`, as the OpenTelemetry Collector writes it:
    ///
    ///     trace id|span id|trace state|{"key":value,…}|count of dropped attributes
    struct LinkTag {
        private(set) var traceID: TraceID
        private(set) var spanID: SpanID
        private(set) var traceState: String
        private(set) var attributes: [Attribute]
        private(set) var droppedAttributesCount: UInt32

        /// `nil` for any other text.
        init?(_ text: UnsafeRawBufferPointer) {
            let bar = UInt8(ascii: "|")
            // The trace state and attributes may hold bars, the others cannot.
            let head = text.split(separator: bar, maxSplits: 2, omittingEmptySubsequences: false)
            guard head.count == 3, let last = head[2].lastIndex(of: bar) else { return nil }
            let state = head[2].startIndex
            guard
                let open = (state - 1..<last).first(where: { text[$0] == bar && text[$0 + 1] == UInt8(ascii: "{") }),
                head[0].count == 32, let trace = Hex.parse(UnsafeRawBufferPointer(rebasing: head[0])),
                head[1].count == 16, let span = Hex.parse(UnsafeRawBufferPointer(rebasing: head[1])),
                let count = UInt32(UTF8Text.repaired(UnsafeRawBufferPointer(rebasing: text[(last + 1)...])))
            else { return nil }
            do throws(WireError) {
                var json = JSONReader(UnsafeRawBufferPointer(rebasing: text[(open + 1)..<last]))
                guard let attributes = try json.readPlainMembers() else { return nil }
                try json.finish()
                self.attributes = attributes
            } catch {
                return nil
            }
            traceID = TraceID(high: trace.high, low: trace.low)
            spanID = SpanID(span.low)
            traceState = UTF8Text.repaired(UnsafeRawBufferPointer(rebasing: text[state..<max(state, open)]))
            droppedAttributesCount = count
        }
    }
}
