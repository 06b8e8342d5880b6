// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Fills a ``SpanBatch``, row by row.
///
/// Attributes, events and links go in before the row that owns them: span attributes, events and links wait for the next
/// `addSpan`, event attributes for the next `addEvent`, and so on. What waits for a span that turns out to be bad is
/// dropped by ``discardSpan()``. Reusable: ``finish(receivedUnixNanos:)`` hands the batch out and starts anew.
package struct SpanBatchBuilder: ~Copyable {
    private var batch = SpanBatch()
    private var interner = Interner()
    private var scratch = ByteWriter()

    /// An empty builder.
    package init() {}

    /// Spans added so far.
    package var count: Int { batch.count }
    /// Resources added so far.
    package var resourceCount: Int { batch.resources.count }
    /// Scopes added so far.
    package var scopeCount: Int { batch.scopes.count }

    // MARK: Text and values

    /// The ref of `bytes` and whether they were new: a decoder checks and canonicalises a value only then.
    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (ref: SpanBatch.Ref, isNew: Bool) {
        interner.intern(bytes)
    }

    /// The ref of the UTF-8 of `text`.
    package mutating func intern(_ text: String) -> SpanBatch.Ref {
        var text = text
        return text.withUTF8 { interner.intern(UnsafeRawBufferPointer($0)).ref }
    }

    /// The ref of the encoded form of `value`.
    package mutating func intern(_ value: AttributeValue) -> SpanBatch.Ref {
        scratch.removeAll()
        EncodedValue.append(value, to: &scratch)
        return interner.intern(scratch.bytes).ref
    }

    // MARK: Resources and scopes

    /// Adds a pair to the resource that ``addResource(serviceName:schemaURL:droppedAttributesCount:)`` will add next.
    package mutating func addResourceAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        batch.resources.attributes.append(key, value)
    }

    /// Adds a resource and returns its row. `serviceName` is the ref of the plain text of `service.name`, 0 for none.
    package mutating func addResource(
        serviceName: SpanBatch.Ref,
        schemaURL: SpanBatch.Ref = 0,
        droppedAttributesCount: UInt32 = 0
    ) -> UInt32 {
        batch.resources.serviceNameRefs.append(serviceName)
        batch.resources.schemaURLRefs.append(schemaURL)
        batch.resources.droppedAttributesCounts.append(droppedAttributesCount)
        batch.resources.attributes.close()
        return UInt32(batch.resources.count - 1)
    }

    /// Adds a pair to the scope that ``addScope(name:version:schemaURL:droppedAttributesCount:)`` will add next.
    package mutating func addScopeAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        batch.scopes.attributes.append(key, value)
    }

    /// Adds a scope and returns its row.
    package mutating func addScope(
        name: SpanBatch.Ref,
        version: SpanBatch.Ref = 0,
        schemaURL: SpanBatch.Ref = 0,
        droppedAttributesCount: UInt32 = 0
    ) -> UInt32 {
        batch.scopes.nameRefs.append(name)
        batch.scopes.versionRefs.append(version)
        batch.scopes.schemaURLRefs.append(schemaURL)
        batch.scopes.droppedAttributesCounts.append(droppedAttributesCount)
        batch.scopes.attributes.close()
        return UInt32(batch.scopes.count - 1)
    }

    // MARK: Spans

    /// Adds a pair to the span that is added next.
    package mutating func addSpanAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        batch.attributes.append(key, value)
    }

    /// Adds a pair to the event that is added next.
    package mutating func addEventAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        batch.events.attributes.append(key, value)
    }

    /// Adds an event, with the attributes waiting for it, to the span that is added next.
    package mutating func addEvent(timeUnixNanos: UInt64, name: SpanBatch.Ref, droppedAttributesCount: UInt32 = 0) {
        let row = batch.events.nameRefs.count
        batch.events.timeUnixNanos.append(timeUnixNanos)
        batch.events.nameRefs.append(name)
        Self.append(droppedAttributesCount, default: 0, to: &batch.events.droppedAttributesCounts, row: row)
        batch.events.attributes.close()
    }

    /// Adds a pair to the link that is added next.
    package mutating func addLinkAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        batch.links.attributes.append(key, value)
    }

    /// Adds a link, with the attributes waiting for it, to the span that is added next.
    package mutating func addLink(
        traceID: TraceID,
        spanID: SpanID,
        traceState: SpanBatch.Ref = 0,
        flags: UInt32 = 0,
        droppedAttributesCount: UInt32 = 0
    ) {
        let row = batch.links.spanIDs.count
        batch.links.traceIDs.append(traceID)
        batch.links.spanIDs.append(spanID)
        Self.append(traceState, default: 0, to: &batch.links.traceStateRefs, row: row)
        Self.append(flags, default: 0, to: &batch.links.flags, row: row)
        Self.append(droppedAttributesCount, default: 0, to: &batch.links.droppedAttributesCounts, row: row)
        batch.links.attributes.close()
    }

    /// The fields of a span that are not lists.
    package struct SpanFields {
        package var traceID = TraceID.zero
        package var spanID = SpanID.zero
        package var parentSpanID = SpanID.zero
        package var startUnixNanos: UInt64 = 0
        /// An end before the start is stored as a zero duration and marked.
        package var endUnixNanos: UInt64 = 0
        package var kind: UInt8 = 0
        package var statusCode: UInt8 = 0
        package var flags: UInt32 = 0
        package var name: SpanBatch.Ref = 0
        package var statusMessage: SpanBatch.Ref = 0
        package var traceState: SpanBatch.Ref = 0
        package var droppedAttributesCount: UInt32 = 0
        package var droppedEventsCount: UInt32 = 0
        package var droppedLinksCount: UInt32 = 0
        package var resource: UInt32 = 0
        package var scope: UInt32 = 0
        package var weight: Double = 1

        package init() {}
    }

    /// Adds a span with all that waits for it.
    package mutating func addSpan(_ fields: SpanFields) {
        let row = batch.count
        let (duration, endsBeforeStart) = fields.endUnixNanos.subtractingReportingOverflow(fields.startUnixNanos)
        batch.traceIDs.append(fields.traceID)
        batch.spanIDs.append(fields.spanID)
        batch.parentSpanIDs.append(fields.parentSpanID)
        batch.startUnixNanos.append(fields.startUnixNanos)
        batch.durationNanos.append(endsBeforeStart ? 0 : duration)
        batch.kinds.append(fields.kind)
        batch.statusCodes.append(fields.statusCode)
        batch.nameRefs.append(fields.name)
        batch.resourceRows.append(fields.resource)
        batch.scopeRows.append(fields.scope)
        Self.append(fields.flags, default: 0, to: &batch.flags, row: row)
        Self.append(fields.statusMessage, default: 0, to: &batch.statusMessageRefs, row: row)
        Self.append(fields.traceState, default: 0, to: &batch.traceStateRefs, row: row)
        Self.append(fields.droppedAttributesCount, default: 0, to: &batch.droppedAttributesCounts, row: row)
        Self.append(fields.droppedEventsCount, default: 0, to: &batch.droppedEventsCounts, row: row)
        Self.append(fields.droppedLinksCount, default: 0, to: &batch.droppedLinksCounts, row: row)
        Self.append(fields.weight, default: 1, to: &batch.weights, row: row)
        Self.append(endsBeforeStart ? .endsBeforeStart : [], default: [], to: &batch.marks, row: row)
        batch.attributes.close()
        batch.events.ends.append(UInt32(batch.events.nameRefs.count))
        batch.links.ends.append(UInt32(batch.links.spanIDs.count))
    }

    /// Drops the attributes, events and links that wait for a span.
    package mutating func discardSpan() {
        batch.attributes.discard()
        let events = Int(batch.events.ends.last ?? 0)
        batch.events.timeUnixNanos.removeSubrange(events...)
        batch.events.nameRefs.removeSubrange(events...)
        if !batch.events.droppedAttributesCounts.isEmpty {
            batch.events.droppedAttributesCounts.removeSubrange(events...)
        }
        batch.events.attributes.truncate(owners: events)
        let links = Int(batch.links.ends.last ?? 0)
        batch.links.traceIDs.removeSubrange(links...)
        batch.links.spanIDs.removeSubrange(links...)
        if !batch.links.traceStateRefs.isEmpty { batch.links.traceStateRefs.removeSubrange(links...) }
        if !batch.links.flags.isEmpty { batch.links.flags.removeSubrange(links...) }
        if !batch.links.droppedAttributesCounts.isEmpty { batch.links.droppedAttributesCounts.removeSubrange(links...) }
        batch.links.attributes.truncate(owners: links)
    }

    /// Hands out the batch and starts anew.
    package mutating func finish(receivedUnixNanos: UInt64) -> SpanBatch {
        discardSpan()
        batch.attributes.compact()
        batch.resources.attributes.compact()
        batch.scopes.attributes.compact()
        batch.events.attributes.compact()
        batch.links.attributes.compact()
        if batch.events.nameRefs.isEmpty { batch.events.ends = [] }
        if batch.links.spanIDs.isEmpty { batch.links.ends = [] }
        batch.dictionary = interner.finish()
        batch.receivedUnixNanos = receivedUnixNanos
        let done = batch
        batch = SpanBatch()
        return done
    }

    /// Appends to an optional column: nothing is stored until the first value that is not the default.
    private static func append<T: Equatable>(_ value: T, default absent: T, to column: inout [T], row: Int) {
        if column.isEmpty {
            guard value != absent else { return }
            column = [T](repeating: absent, count: row)
        }
        column.append(value)
    }
}

extension SpanBatch.AttributeTable {
    /// Adds a pair to the owner that ``close()`` will end.
    fileprivate mutating func append(_ key: SpanBatch.Ref, _ value: SpanBatch.Ref) {
        keyRefs.append(key)
        valueRefs.append(value)
    }

    /// Ends the present owner.
    fileprivate mutating func close() { ends.append(UInt32(keyRefs.count)) }

    /// Drops the pairs of the owner that is not ended.
    fileprivate mutating func discard() {
        let end = Int(ends.last ?? 0)
        keyRefs.removeSubrange(end...)
        valueRefs.removeSubrange(end...)
    }

    /// Keeps the first `owners` owners.
    fileprivate mutating func truncate(owners: Int) {
        ends.removeSubrange(owners...)
        discard()
    }

    /// A table without pairs holds no ends either.
    fileprivate mutating func compact() {
        if keyRefs.isEmpty { ends = [] }
    }
}
