// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel

extension OTLP {
    /// Writes a batch as `ExportTraceServiceRequest`, which on the wire is the same as `TracesData`. Field numbers as in
    /// ``ProtobufDecoder``. Values go out as they stand in the dictionary, since they are encoded `AnyValue`s there.
    package struct ProtobufEncoder {
        private let batch: SpanBatch

        /// Appends all spans of `batch` to `out`, grouped by resource and scope.
        package static func append(_ batch: SpanBatch, to out: inout ByteWriter) {
            let encoder = ProtobufEncoder(batch: batch)
            out.reserve(batch.count * 64 + batch.attributes.keyRefs.count * 32)
            for group in SpanGroups(batch).resources {
                out.appendMessage(1) { encoder.appendResourceSpans(group, to: &$0) }
            }
        }

        /// All spans of `batch` as one message.
        package static func bytes(of batch: SpanBatch) -> [UInt8] {
            var out = ByteWriter(capacity: 1024)
            append(batch, to: &out)
            return out.array()
        }

        private func appendResourceSpans(_ group: SpanGroups.Resource, to out: inout ByteWriter) {
            let table = batch.resources
            out.appendMessage(1) { out in
                appendAttributes(1, table.attributes, group.resource, to: &out)
                out.appendField(2, varint: UInt64(table.droppedAttributesCounts[group.resource]))
            }
            for scope in group.scopes {
                out.appendMessage(2) { appendScopeSpans(scope, to: &$0) }
            }
            appendText(3, table.schemaURLRefs[group.resource], to: &out)
        }

        private func appendScopeSpans(_ group: SpanGroups.Scope, to out: inout ByteWriter) {
            let table = batch.scopes
            out.appendMessage(1) { out in
                appendText(1, table.nameRefs[group.scope], to: &out)
                appendText(2, table.versionRefs[group.scope], to: &out)
                appendAttributes(3, table.attributes, group.scope, to: &out)
                out.appendField(4, varint: UInt64(table.droppedAttributesCounts[group.scope]))
            }
            for row in group.rows {
                out.appendMessage(2) { appendSpan(row, to: &$0) }
            }
            appendText(3, table.schemaURLRefs[group.scope], to: &out)
        }

        private func appendSpan(_ row: Int, to out: inout ByteWriter) {
            appendID(1, batch.traceIDs[row], to: &out)
            appendID(2, batch.spanIDs[row], to: &out)
            appendText(3, SpanBatch.value(batch.traceStateRefs, row, default: 0), to: &out)
            if batch.parentSpanIDs[row].isValid { appendID(4, batch.parentSpanIDs[row], to: &out) }
            appendText(5, batch.nameRefs[row], to: &out)
            out.appendField(6, varint: UInt64(batch.kinds[row]))
            out.appendField(7, fixed64: batch.startUnixNanos[row])
            out.appendField(8, fixed64: batch.reportedEndUnixNanos(at: row))
            appendAttributes(9, batch.attributes, row, to: &out)
            out.appendField(10, varint: UInt64(SpanBatch.value(batch.droppedAttributesCounts, row, default: 0)))
            for event in batch.events.range(of: row) { appendEvent(event, to: &out) }
            out.appendField(12, varint: UInt64(SpanBatch.value(batch.droppedEventsCounts, row, default: 0)))
            for link in batch.links.range(of: row) { appendLink(link, to: &out) }
            out.appendField(14, varint: UInt64(SpanBatch.value(batch.droppedLinksCounts, row, default: 0)))
            let message = SpanBatch.value(batch.statusMessageRefs, row, default: 0)
            if batch.statusCodes[row] != 0 || message != 0 {
                out.appendMessage(15) { out in
                    appendText(2, message, to: &out)
                    out.appendField(3, varint: UInt64(batch.statusCodes[row]))
                }
            }
            out.appendField(16, fixed32: SpanBatch.value(batch.flags, row, default: 0))
        }

        private func appendEvent(_ event: Int, to out: inout ByteWriter) {
            let table = batch.events
            out.appendMessage(11) { out in
                out.appendField(1, fixed64: table.timeUnixNanos[event])
                appendText(2, table.nameRefs[event], to: &out)
                appendAttributes(3, table.attributes, event, to: &out)
                out.appendField(4, varint: UInt64(SpanBatch.value(table.droppedAttributesCounts, event, default: 0)))
            }
        }

        private func appendLink(_ link: Int, to out: inout ByteWriter) {
            let table = batch.links
            out.appendMessage(13) { out in
                appendID(1, table.traceIDs[link], to: &out)
                appendID(2, table.spanIDs[link], to: &out)
                appendText(3, SpanBatch.value(table.traceStateRefs, link, default: 0), to: &out)
                appendAttributes(4, table.attributes, link, to: &out)
                out.appendField(5, varint: UInt64(SpanBatch.value(table.droppedAttributesCounts, link, default: 0)))
                out.appendField(6, fixed32: SpanBatch.value(table.flags, link, default: 0))
            }
        }

        private func appendAttributes(
            _ number: UInt64,
            _ table: SpanBatch.AttributeTable,
            _ owner: Int,
            to out: inout ByteWriter
        ) {
            for pair in table.range(of: owner) {
                batch.dictionary.withBytes(table.keyRefs[pair]) { key in
                    batch.dictionary.withBytes(table.valueRefs[pair]) { value in
                        // The sizes are known: no gap to close, and an empty value is written as what it is.
                        let keySize = 1 + ByteWriter.varintLength(UInt64(key.count)) + key.count
                        let valueSize = 1 + ByteWriter.varintLength(UInt64(value.count)) + value.count
                        out.reserve(keySize + valueSize + 16)
                        out.append(UInt8(truncatingIfNeeded: number << 3 | 2))
                        out.appendVarint(UInt64(keySize + valueSize))
                        out.append(0x0a)
                        out.appendVarint(UInt64(key.count))
                        out.append(key)
                        out.append(0x12)
                        out.appendVarint(UInt64(value.count))
                        out.append(value)
                    }
                }
            }
        }

        private func appendText(_ number: UInt64, _ ref: SpanBatch.Ref, to out: inout ByteWriter) {
            if ref == 0 { return }
            batch.dictionary.withBytes(ref) { out.appendField(number, bytes: $0) }
        }

        private func appendID(_ number: UInt64, _ id: TraceID, to out: inout ByteWriter) {
            out.appendVarint(number << 3 | 2)
            out.append(16)
            out.appendLittleEndian(id.high.byteSwapped)
            out.appendLittleEndian(id.low.byteSwapped)
        }

        private func appendID(_ number: UInt64, _ id: SpanID, to out: inout ByteWriter) {
            out.appendVarint(number << 3 | 2)
            out.append(8)
            out.appendLittleEndian(id.rawValue.byteSwapped)
        }
    }
}

extension SpanBatch {
    /// The end as it goes out: before the start where the client reported it so, by one nanosecond since no more is
    /// known, so that the mark survives the way through another system.
    func reportedEndUnixNanos(at row: Int) -> UInt64 {
        if Self.value(marks, row, default: []).contains(.endsBeforeStart), startUnixNanos[row] > 0 {
            return startUnixNanos[row] - 1
        }
        return endUnixNanos(at: row)
    }
}
