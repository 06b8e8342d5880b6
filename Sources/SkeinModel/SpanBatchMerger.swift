// SPDX-License-Identifier: Apache-2.0

/// Copies rows of one batch into a builder, translating refs once per distinct entry.
///
/// Make one for each pair of source batch and builder; it remembers what it has translated.
package struct SpanBatchMerger {
    private let source: SpanBatch
    /// By source ref: target ref + 1, or 0 when not yet translated.
    private var refs: [UInt32]
    private var resources: [UInt32]
    private var scopes: [UInt32]

    /// A merger for rows of `source`.
    package init(from source: SpanBatch) {
        self.source = source
        refs = [UInt32](repeating: 0, count: source.dictionary.count)
        resources = [UInt32](repeating: 0, count: source.resources.count)
        scopes = [UInt32](repeating: 0, count: source.scopes.count)
    }

    /// Appends row `row` of the source to `builder`, which must be the same one at every call. Its weight is multiplied by
    /// `weightFactor`, and `traceState`, a ref of the builder, takes the place of its own.
    package mutating func append(
        _ row: Int,
        to builder: inout SpanBatchBuilder,
        weightFactor: Double = 1,
        traceState: SpanBatch.Ref? = nil
    ) {
        var fields = SpanBatchBuilder.SpanFields()
        fields.traceID = source.traceIDs[row]
        fields.spanID = source.spanIDs[row]
        fields.parentSpanID = source.parentSpanIDs[row]
        fields.startUnixNanos = source.startUnixNanos[row]
        fields.endUnixNanos = source.endUnixNanos(at: row)
        if SpanBatch.value(source.marks, row, default: []).contains(.endsBeforeStart) {
            // Any end before the start marks the row again; a start of 0 cannot be ended before.
            fields.endUnixNanos = fields.startUnixNanos &- 1
        }
        fields.kind = source.kinds[row]
        fields.statusCode = source.statusCodes[row]
        fields.flags = SpanBatch.value(source.flags, row, default: 0)
        fields.name = ref(source.nameRefs[row], &builder)
        fields.statusMessage = ref(SpanBatch.value(source.statusMessageRefs, row, default: 0), &builder)
        fields.traceState = traceState ?? ref(SpanBatch.value(source.traceStateRefs, row, default: 0), &builder)
        fields.droppedAttributesCount = SpanBatch.value(source.droppedAttributesCounts, row, default: 0)
        fields.droppedEventsCount = SpanBatch.value(source.droppedEventsCounts, row, default: 0)
        fields.droppedLinksCount = SpanBatch.value(source.droppedLinksCounts, row, default: 0)
        fields.weight = SpanBatch.value(source.weights, row, default: 1) * weightFactor
        fields.resource = resource(Int(source.resourceRows[row]), &builder)
        fields.scope = scope(Int(source.scopeRows[row]), &builder)
        for pair in source.attributes.range(of: row) {
            builder.addSpanAttribute(
                key: ref(source.attributes.keyRefs[pair], &builder),
                value: ref(source.attributes.valueRefs[pair], &builder)
            )
        }
        for event in source.events.range(of: row) {
            for pair in source.events.attributes.range(of: event) {
                builder.addEventAttribute(
                    key: ref(source.events.attributes.keyRefs[pair], &builder),
                    value: ref(source.events.attributes.valueRefs[pair], &builder)
                )
            }
            builder.addEvent(
                timeUnixNanos: source.events.timeUnixNanos[event],
                name: ref(source.events.nameRefs[event], &builder),
                droppedAttributesCount: SpanBatch.value(source.events.droppedAttributesCounts, event, default: 0)
            )
        }
        for link in source.links.range(of: row) {
            for pair in source.links.attributes.range(of: link) {
                builder.addLinkAttribute(
                    key: ref(source.links.attributes.keyRefs[pair], &builder),
                    value: ref(source.links.attributes.valueRefs[pair], &builder)
                )
            }
            builder.addLink(
                traceID: source.links.traceIDs[link],
                spanID: source.links.spanIDs[link],
                traceState: ref(SpanBatch.value(source.links.traceStateRefs, link, default: 0), &builder),
                flags: SpanBatch.value(source.links.flags, link, default: 0),
                droppedAttributesCount: SpanBatch.value(source.links.droppedAttributesCounts, link, default: 0)
            )
        }
        builder.addSpan(fields)
    }

    private mutating func ref(_ ref: SpanBatch.Ref, _ builder: inout SpanBatchBuilder) -> SpanBatch.Ref {
        let known = refs[Int(ref)]
        if known != 0 { return known - 1 }
        let target = source.dictionary.withBytes(ref) { builder.intern($0).ref }
        refs[Int(ref)] = target + 1
        return target
    }

    private mutating func resource(_ row: Int, _ builder: inout SpanBatchBuilder) -> UInt32 {
        if resources[row] != 0 { return resources[row] - 1 }
        let table = source.resources.attributes
        for pair in table.range(of: row) {
            builder.addResourceAttribute(
                key: ref(table.keyRefs[pair], &builder),
                value: ref(table.valueRefs[pair], &builder)
            )
        }
        let target = builder.addResource(
            serviceName: ref(source.resources.serviceNameRefs[row], &builder),
            schemaURL: ref(source.resources.schemaURLRefs[row], &builder),
            droppedAttributesCount: source.resources.droppedAttributesCounts[row]
        )
        resources[row] = target + 1
        return target
    }

    private mutating func scope(_ row: Int, _ builder: inout SpanBatchBuilder) -> UInt32 {
        if scopes[row] != 0 { return scopes[row] - 1 }
        let table = source.scopes.attributes
        for pair in table.range(of: row) {
            builder.addScopeAttribute(
                key: ref(table.keyRefs[pair], &builder),
                value: ref(table.valueRefs[pair], &builder)
            )
        }
        let target = builder.addScope(
            name: ref(source.scopes.nameRefs[row], &builder),
            version: ref(source.scopes.versionRefs[row], &builder),
            schemaURL: ref(source.scopes.schemaURLRefs[row], &builder),
            droppedAttributesCount: source.scopes.droppedAttributesCounts[row]
        )
        scopes[row] = target + 1
        return target
    }
}

extension SpanBatch {
    /// Some of its spans as a batch of their own, whose dictionary holds what they say and nothing else.
    package func part(_ rows: some Sequence<Int>) -> SpanBatch {
        var builder = SpanBatchBuilder()
        var merger = SpanBatchMerger(from: self)
        for row in rows { merger.append(row, to: &builder) }
        return builder.finish(receivedUnixNanos: receivedUnixNanos)
    }
}
