// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Log records as columns.
///
/// They are kept the way spans are, so that all that stores can do with spans they can do with records: a row is a record
/// that poses as a span, of the trace, with the record's span as its parent.
///
///     trace id          the record's                    start            time
///     parent span id    the record's span               duration         0
///     span id           made of all it says             kind             unspecified
///     name              event name                      status           error from severity 17 on
///     status message    severity text                   flags            bits 0–7 trace flags, 8–15 severity number
///     attributes        the record's                    event 0          time: observed; attribute `body`, unless null
package struct LogBatch: Sendable {
    /// The rows; each has an id of its own, see ``init(identifying:)``.
    package private(set) var rows: SpanBatch

    package var count: Int { rows.count }
    package var isEmpty: Bool { rows.isEmpty }

    /// The key of the body's attribute.
    package static let bodyKey = "body"

    /// What a record has in columns of fixed width, and refs of text in the builder.
    package struct Fields {
        package var traceID = TraceID.zero
        package var spanID = SpanID.zero
        package var timeUnixNanos: UInt64 = 0
        package var observedTimeUnixNanos: UInt64 = 0
        /// Of more than 24, 24 is kept.
        package var severityNumber: UInt64 = 0
        package var severityText: SpanBatch.Ref = 0
        package var eventName: SpanBatch.Ref = 0
        package var body: SpanBatch.Ref = 0
        package var droppedAttributesCount: UInt32 = 0
        package var flags: UInt32 = 0

        package init() {}

        /// Adds the record as a row, with the attributes that wait for it.
        package func add(to builder: inout SpanBatchBuilder) {
            let severity = UInt32(min(severityNumber, 24))
            var row = SpanBatchBuilder.SpanFields()
            row.traceID = traceID
            row.parentSpanID = spanID
            row.startUnixNanos = timeUnixNanos > 0 ? timeUnixNanos : observedTimeUnixNanos
            row.endUnixNanos = row.startUnixNanos
            row.statusCode =
                severity >= UInt32(LogRecord.errorSeverityNumber)
                ? Span.Status.Code.error.rawValue : Span.Status.Code.unset.rawValue
            row.flags = flags & 0xff | severity << 8
            row.name = eventName
            row.statusMessage = severityText
            row.droppedAttributesCount = droppedAttributesCount
            if body != 0 || observedTimeUnixNanos != 0 {
                if body != 0 { builder.addEventAttribute(key: builder.intern(LogBatch.bodyKey), value: body) }
                builder.addEvent(timeUnixNanos: observedTimeUnixNanos, name: 0)
            }
            builder.addSpan(row)
        }
    }

    /// Rows that a store gave back.
    package init(stored rows: SpanBatch) { self.rows = rows }

    /// Rows that were made of one request by ``Fields``. Each gets an id made of its place and of what it says: the same
    /// request sent again is the same records, and records of one moment stay in their order.
    package init(identifying rows: SpanBatch) {
        self.rows = rows
        for row in 0..<rows.count {
            let place = UInt64(row % 0xffff + 1) << 48
            self.rows.spanIDs[row] = SpanID(place | Self.digest(of: row, in: rows) & 0xffff_ffff_ffff)
            // One without any time has that of its receipt.
            if rows.startUnixNanos[row] == 0 { self.rows.startUnixNanos[row] = rows.receivedUnixNanos }
        }
    }

    private static func digest(of row: Int, in rows: SpanBatch) -> UInt64 {
        var bytes = ByteWriter()
        func add(_ ref: SpanBatch.Ref) {
            rows.dictionary.withBytes(ref) { entry in
                bytes.appendVarint(UInt64(entry.count))
                bytes.append(entry)
            }
        }
        for number in [
            rows.traceIDs[row].high, rows.traceIDs[row].low, rows.parentSpanIDs[row].rawValue, rows.startUnixNanos[row],
            UInt64(SpanBatch.value(rows.flags, row, default: 0)),
        ] {
            bytes.appendVarint(number)
        }
        add(rows.nameRefs[row])
        add(SpanBatch.value(rows.statusMessageRefs, row, default: 0))
        add(rows.resources.serviceNameRefs[Int(rows.resourceRows[row])])
        for pair in rows.attributes.range(of: row) {
            add(rows.attributes.keyRefs[pair])
            add(rows.attributes.valueRefs[pair])
        }
        for event in rows.events.range(of: row) {
            for pair in rows.events.attributes.range(of: event) { add(rows.events.attributes.valueRefs[pair]) }
        }
        return Checksum.of(bytes.bytes)
    }

    /// A batch of these records, in this order. For tests and small inputs; decoders fill columns directly.
    package init(records: [LogRecord], receivedUnixNanos: UInt64 = 0) {
        var spans: [Span] = []
        for record in records {
            var span = Span(
                traceID: record.traceID,
                spanID: .zero,
                parentSpanID: record.spanID,
                name: record.eventName,
                startUnixNanos: record.timeUnixNanos,
                durationNanos: 0
            )
            span.flags = UInt32(record.flags) | UInt32(min(record.severityNumber, 24)) << 8
            span.status = Span.Status(
                record.severityNumber >= LogRecord.errorSeverityNumber ? .error : .unset,
                message: record.severityText
            )
            span.attributes = record.attributes
            span.droppedAttributesCount = record.droppedAttributesCount
            span.resource = record.resource
            span.scope = record.scope
            if record.body != .null || record.observedTimeUnixNanos != 0 {
                let body = record.body == .null ? [] : [Attribute(Self.bodyKey, record.body)]
                span.events = [.init(timeUnixNanos: record.observedTimeUnixNanos, name: "", attributes: body)]
            }
            spans.append(span)
        }
        self.init(identifying: SpanBatch(spans: spans, receivedUnixNanos: receivedUnixNanos))
    }

    /// Every record as a row.
    package var records: [LogRecord] {
        rows.spans.map { span in
            var record = LogRecord(
                traceID: span.traceID,
                spanID: span.parentSpanID,
                timeUnixNanos: span.startUnixNanos,
                body: span.events.first?.attributes.first?.value ?? .null
            )
            record.observedTimeUnixNanos = span.events.first?.timeUnixNanos ?? 0
            record.severityNumber = UInt8(truncatingIfNeeded: span.flags >> 8)
            record.severityText = span.status.message
            record.eventName = span.name
            record.attributes = span.attributes
            record.droppedAttributesCount = span.droppedAttributesCount
            record.flags = UInt8(truncatingIfNeeded: span.flags)
            record.resource = span.resource
            record.scope = span.scope
            return record
        }
    }
}
