// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Fills a ``SpanBatch``, row by row.
///
/// Attributes, events and links go in before the row that owns them: span attributes, events and links wait for the next
/// `addSpan`, event attributes for the next `addEvent`, and so on. What waits for a span that turns out to be bad is
/// dropped by ``discardSpan()``. Equal resources and equal scopes share one row. Reusable:
/// ``finish(receivedUnixNanos:)`` hands the batch out and starts anew, ``removeAll()`` starts anew without one.
package struct SpanBatchBuilder: ~Copyable {
    private var rows = SpanColumns()
    private var attributes = AttributeColumns()
    private var events = EventColumns()
    private var links = LinkColumns()
    private var resources = ResourceColumns()
    private var scopes = ScopeColumns()
    private var interner = Interner()
    private var scratch = ByteWriter()
    private var guesses = AttributeGuesses()

    /// An empty builder.
    package init() {}

    /// Spans added so far.
    package var count: Int { rows.count }
    /// Resources added so far.
    package var resourceCount: Int { resources.serviceNames.count }
    /// Scopes added so far.
    package var scopeCount: Int { scopes.names.count }
    /// Whether texts and values took more than 4 GiB, so that some were left out: the batch must not be used then.
    package var isFull: Bool { interner.isFull }
    /// Bytes of memory that a batch of what was added so far will take, roughly.
    package var byteCount: Int {
        rows.count * 80 + 8 * (attributes.keys.count + events.attributes.keys.count + links.attributes.keys.count)
            + 20 * events.names.count + 40 * links.spanIDs.count + interner.byteCount
    }

    // MARK: Text and values

    /// The ref of `bytes` and whether they were new. For bytes that are known to be good, such as another batch's.
    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (ref: SpanBatch.Ref, isNew: Bool) {
        interner.intern(bytes)
    }

    /// The ref of text from outside: checked at first sight, and repaired where it is not UTF-8.
    package mutating func intern(text bytes: UnsafeRawBufferPointer) -> SpanBatch.Ref {
        if bytes.isEmpty { return 0 }
        let (ref, place) = interner.find(bytes, .text)
        if ref != 0 { return ref }
        guard UTF8Text.isValid(bytes) else { return intern(UTF8Text.repaired(bytes)) }
        return interner.add(bytes, at: place, as: Interner.Role.text.rawValue)
    }

    /// The ref of an encoded value from outside, checked at first sight; `nil` when it is not canonical (see
    /// ``EncodedValue``): the caller then reads it and interns what it says.
    package mutating func intern(value bytes: UnsafeRawBufferPointer) -> SpanBatch.Ref? {
        if bytes.isEmpty { return 0 }
        let (ref, place) = interner.find(bytes, .value)
        if ref != 0 { return ref }
        guard EncodedValue.isCanonical(bytes) else { return nil }
        return interner.add(bytes, at: place, as: Interner.Role.value.rawValue)
    }

    /// The refs of an attribute from outside, both as ``intern(text:)`` and ``intern(value:)`` give them.
    ///
    /// Spans of one scope carry the same keys in the same order, and often the same values: both are first compared with
    /// what came last time, which saves hash and probe.
    package mutating func intern(
        key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer
    ) -> (key: SpanBatch.Ref, value: SpanBatch.Ref?) {
        (intern(key: key), intern(valueOfKey: value))
    }

    /// The ref of an attribute's key, as ``intern(text:)`` gives it.
    package mutating func intern(key: UnsafeRawBufferPointer) -> SpanBatch.Ref {
        let guess = guesses.nextKey
        let ref = guess != 0 && interner.equal(guess, key) ? guess : intern(text: key)
        guesses.note(key: ref)
        return ref
    }

    /// The ref of the string `text` as the value of the key that was interned last, repaired where it is not UTF-8.
    package mutating func intern(stringOfKey text: UnsafeRawBufferPointer) -> SpanBatch.Ref {
        let known = guesses.value
        if known != 0, interner.entry(known, isString: text) { return known }
        let ref = intern(stringValue: text)
        guesses.value = ref
        return ref
    }

    /// The ref of an integer as the value of the key that was interned last.
    package mutating func intern(intOfKey int: Int64) -> SpanBatch.Ref {
        scratch.removeAll()
        scratch.append(EncodedValue.Kind.int.rawValue)
        scratch.appendVarint(UInt64(bitPattern: int))
        return internScratchOfKey()
    }

    /// The ref of a double as the value of the key that was interned last.
    package mutating func intern(doubleOfKey double: Double) -> SpanBatch.Ref {
        scratch.removeAll()
        scratch.append(EncodedValue.Kind.double.rawValue)
        scratch.appendLittleEndian(double.bitPattern)
        return internScratchOfKey()
    }

    /// The ref of a boolean as the value of the key that was interned last.
    package mutating func intern(boolOfKey bool: Bool) -> SpanBatch.Ref {
        scratch.removeAll()
        scratch.append(EncodedValue.Kind.bool.rawValue)
        scratch.append(bool ? 1 : 0)
        return internScratchOfKey()
    }

    /// The ref of the value in `scratch`, which is canonical.
    private mutating func internScratchOfKey() -> SpanBatch.Ref {
        let known = guesses.value
        if known != 0, interner.equal(known, scratch.bytes) { return known }
        let ref = interner.intern(scratch.bytes).ref
        guesses.value = ref
        return ref
    }

    private mutating func intern(valueOfKey value: UnsafeRawBufferPointer) -> SpanBatch.Ref? {
        let known = guesses.value
        if known != 0, interner.equal(known, value) { return known }
        let ref = intern(value: value)
        if let ref { guesses.value = ref }
        return ref
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

    /// The ref of the encoded form of the string whose UTF-8 is `text`, repaired where it is not.
    package mutating func intern(stringValue text: UnsafeRawBufferPointer) -> SpanBatch.Ref {
        scratch.removeAll()
        scratch.append(EncodedValue.Kind.string.rawValue)
        scratch.appendVarint(UInt64(text.count))
        scratch.append(text)
        return intern(value: scratch.bytes) ?? intern(.string(UTF8Text.repaired(text)))
    }

    /// The ref of the plain text of a string value, 0 when `value` is of another kind: how `service.name` is found.
    package mutating func intern(textOfValue value: SpanBatch.Ref) -> SpanBatch.Ref {
        guard case .string(let text) = interner.value(value) else { return 0 }
        return intern(text)
    }

    // MARK: Resources and scopes

    /// Adds a pair to the resource that ``addResource(serviceName:schemaURL:droppedAttributesCount:)`` will add next.
    package mutating func addResourceAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        resources.attributes.append(key, value)
    }

    /// Adds a resource, unless an equal one is there, and returns its row. `serviceName` is the ref of the plain text of
    /// `service.name`, 0 for none.
    package mutating func addResource(
        serviceName: SpanBatch.Ref,
        schemaURL: SpanBatch.Ref = 0,
        droppedAttributesCount: UInt32 = 0
    ) -> UInt32 {
        resources.close(serviceName, schemaURL, droppedAttributesCount)
    }

    /// Adds a pair to the scope that ``addScope(name:version:schemaURL:droppedAttributesCount:)`` will add next.
    package mutating func addScopeAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        scopes.attributes.append(key, value)
    }

    /// Adds a scope, unless an equal one is there, and returns its row.
    package mutating func addScope(
        name: SpanBatch.Ref,
        version: SpanBatch.Ref = 0,
        schemaURL: SpanBatch.Ref = 0,
        droppedAttributesCount: UInt32 = 0
    ) -> UInt32 {
        scopes.close(name, version, schemaURL, droppedAttributesCount)
    }

    // MARK: Spans

    /// Adds a pair to the span that is added next.
    package mutating func addSpanAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        attributes.append(key, value)
    }

    /// Adds a pair to the event that is added next.
    package mutating func addEventAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        events.attributes.append(key, value)
    }

    /// Adds an event, with the attributes waiting for it, to the span that is added next.
    package mutating func addEvent(timeUnixNanos: UInt64, name: SpanBatch.Ref, droppedAttributesCount: UInt32 = 0) {
        events.add(timeUnixNanos, name, droppedAttributesCount)
    }

    /// Adds a pair to the link that is added next.
    package mutating func addLinkAttribute(key: SpanBatch.Ref, value: SpanBatch.Ref) {
        links.attributes.append(key, value)
    }

    /// Adds a link, with the attributes waiting for it, to the span that is added next.
    package mutating func addLink(
        traceID: TraceID,
        spanID: SpanID,
        traceState: SpanBatch.Ref = 0,
        flags: UInt32 = 0,
        droppedAttributesCount: UInt32 = 0
    ) {
        links.add(traceID, spanID, traceState, flags, droppedAttributesCount)
    }

    /// Drops the attributes that wait for a link.
    package mutating func discardLink() { links.attributes.discard() }

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
        rows.append(fields)
        attributes.close()
        events.ends.append(UInt32(truncatingIfNeeded: events.names.count))
        links.ends.append(UInt32(truncatingIfNeeded: links.spanIDs.count))
    }

    /// Says of the spans from row `first` on to which resource they belong, for formats that tell it after them.
    package mutating func assign(resource: UInt32, from first: Int) { rows.assign(resource: resource, from: first) }

    /// Says of the spans from row `first` on to which scope they belong, for formats that tell it after them.
    package mutating func assign(scope: UInt32, from first: Int) { rows.assign(scope: scope, from: first) }

    /// Drops the spans from row `first` on, with all that belongs to them.
    package mutating func discardSpans(from first: Int) {
        rows.truncate(to: first)
        attributes.truncate(to: first)
        events.ends.truncate(to: first)
        links.ends.truncate(to: first)
        discardSpan()
    }

    /// Drops the attributes, events and links that wait for a span.
    package mutating func discardSpan() {
        attributes.discard()
        events.truncate(to: Int(events.ends.last ?? 0))
        links.truncate(to: Int(links.ends.last ?? 0))
    }

    /// Drops all that was added and starts anew.
    package mutating func removeAll() { _ = finish(receivedUnixNanos: 0) }

    /// Hands out the batch and starts anew.
    package mutating func finish(receivedUnixNanos: UInt64) -> SpanBatch {
        discardSpan()
        var batch = SpanBatch()
        rows.finish(into: &batch)
        batch.attributes = attributes.finish()
        batch.events = events.finish()
        batch.links = links.finish()
        batch.resources = resources.finish()
        batch.scopes = scopes.finish()
        batch.dictionary = interner.finish()
        guesses.removeAll()
        batch.receivedUnixNanos = receivedUnixNanos
        return batch
    }
}
