// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// Puts what Jaeger's encodings say into columns, in OpenTelemetry's terms (OpenTelemetry Collector contrib 0.130
/// `pkg/translator/jaeger`); the decoders read, this knows what it means.
struct JaegerTranslator: ~Copyable {
    private(set) var builder = SpanBatchBuilder()
    private var intake: Intake
    private var rejections = Rejections()
    /// The scope that was added last, by name and version.
    private var scope: (name: SpanBatch.Ref, version: SpanBatch.Ref, row: UInt32)?
    /// The memory of the last span's tags and of the last log's fields, for the next.
    private var spareTags: [JaegerTag] = []
    private var spareFields: [JaegerTag] = []

    /// Tags of one owner, or fields of one log, up to the limit.
    struct Tags {
        var kept: [JaegerTag]
        private(set) var quota: Quota

        /// No tags; they will go into the memory of `spare`, which is empty after.
        init(_ quota: Quota, in spare: inout [JaegerTag]) {
            kept = []
            swap(&kept, &spare)
            self.quota = quota
        }

        /// Lets go of the tags and leaves their memory, unless it is large, as `spare`.
        mutating func recycle(as spare: inout [JaegerTag]) {
            kept.removeAll(keepingCapacity: kept.count < 1000)
            swap(&kept, &spare)
        }

        @inline(__always)
        mutating func append(_ tag: JaegerTag) { if quota.take() { kept.append(tag) } }
    }

    struct Reference {
        var isChildOf = true
        var traceID = TraceID.zero
        var spanID = SpanID.zero
    }

    /// A span as its encoding says it. Its logs are added while it is read, see ``addLog(timeUnixNanos:_:of:)``.
    struct Raw {
        var fields = SpanBatchBuilder.SpanFields()
        /// The parent that the span names in a field of its own; zero for none.
        var parent = SpanID.zero
        var tags: Tags
        var references: [Reference] = []
        fileprivate(set) var events: Quota
        fileprivate(set) var links: Quota
        fileprivate(set) var invalidLinkCount: UInt32 = 0

        /// Whether it has neither ids nor a name nor anything that belongs to it.
        var isBlank: Bool {
            !fields.traceID.isValid && !fields.spanID.isValid && !parent.isValid && fields.name == 0
                && tags.kept.isEmpty && references.isEmpty && events.taken == 0
        }

        @inline(__always)
        mutating func append(_ reference: Reference) { if links.take() { references.append(reference) } }

        /// Leaves out a reference whose ids are none.
        mutating func dropReference() { invalidLinkCount &+= 1 }
    }

    init(_ limits: DecodingLimits) { intake = Intake(limits) }

    /// Room for the tags of a process or the fields of a log.
    mutating func tags() -> Tags { Tags(intake.quota(), in: &spareFields) }
    mutating func span() -> Raw {
        Raw(tags: Tags(intake.quota(), in: &spareTags), events: intake.quota(), links: intake.quota())
    }
    mutating func intern(text: UnsafeRawBufferPointer) -> SpanBatch.Ref { builder.intern(text: text) }

    // MARK: Requests

    /// Forgets what is left of the request before.
    mutating func begin() {
        builder.removeAll()
        rejections = Rejections()
        intake = Intake(intake.limits)
        scope = nil
    }

    mutating func finish(receivedUnixNanos: UInt64) -> DecodedSpans {
        var decoded = DecodedSpans(batch: builder.finish(receivedUnixNanos: receivedUnixNanos))
        decoded.rejected = rejections.counts
        decoded.firstMessage = rejections.firstMessage
        decoded.dropped = intake.dropped
        decoded.warning = intake.warning
        return decoded
    }

    // MARK: Processes

    /// The resource that spans of this process have.
    mutating func addProcess(
        service: UnsafeRawBufferPointer,
        _ tags: Tags,
        at offset: Int
    ) throws(WireError) -> UInt32 {
        // This name stands for "none" (Collector contrib 0.130, `pkg/translator/jaeger` constants).
        let isNamed = !service.isEmpty && !service.elementsEqual("OTLPResourceNoServiceName".utf8)
        if isNamed {
            builder.addResourceAttribute(
                key: builder.intern("service.name"),
                value: builder.intern(stringValue: service)
            )
        }
        let hasHost = tags.kept.contains { $0.isNamed("host.name") }
        let hasVersion = tags.kept.contains { $0.isNamed("opencensus.exporterversion") }
        for tag in tags.kept {
            if tag.isNamed("hostname"), !hasHost {
                builder.addResourceAttribute(key: builder.intern("host.name"), value: tag.value(in: &builder))
            } else if tag.isNamed("jaeger.version"), !hasVersion {
                builder.addResourceAttribute(
                    key: builder.intern("opencensus.exporterversion"),
                    value: builder.intern(.string("Jaeger-" + tag.string))
                )
            } else {
                builder.addResourceAttribute(key: builder.intern(key: tag.key), value: tag.value(in: &builder))
            }
        }
        try intake.add(0, attributes: tags.quota, at: offset)
        return builder.addResource(
            serviceName: isNamed ? builder.intern(text: service) : 0,
            droppedAttributesCount: tags.quota.refused
        )
    }

    /// The scope of spans whose tags name none.
    mutating func unnamedScope() -> UInt32 { scopeRow(0, 0) }

    private mutating func scopeRow(_ name: SpanBatch.Ref, _ version: SpanBatch.Ref) -> UInt32 {
        if let scope, scope.name == name, scope.version == version { return scope.row }
        let row = builder.addScope(name: name, version: version)
        scope = (name, version, row)
        return row
    }

    // MARK: Spans

    /// Adds a log of the span that is being read.
    mutating func addLog(
        timeUnixNanos: UInt64,
        _ fields: consuming Tags,
        of span: inout Raw,
        at offset: Int
    ) throws(WireError) {
        guard span.events.take() else { return }
        let name = fields.kept.lastIndex { $0.isNamed("event") && $0.kind == .string }
        for (index, tag) in fields.kept.enumerated() where index != name {
            builder.addEventAttribute(key: builder.intern(key: tag.key), value: tag.value(in: &builder))
        }
        try intake.add(Intake.Size.event, attributes: fields.quota, at: offset)
        builder.addEvent(
            timeUnixNanos: timeUnixNanos,
            name: name.map { builder.intern(text: fields.kept[$0].text) } ?? 0,
            droppedAttributesCount: fields.quota.refused
        )
        fields.recycle(as: &spareFields)
    }

    /// Adds a span, or counts why it cannot be taken. `hasOpenTelemetryTags`: whether tags stand for the trace state and the
    /// scope, which they do in Protocol Buffers and not in Thrift.
    mutating func add(_ raw: consuming Raw, hasOpenTelemetryTags: Bool, at offset: Int) throws(WireError) {
        guard raw.fields.traceID.isValid else { return reject(.invalidTraceID, "trace ids must not be all zero") }
        guard raw.fields.spanID.isValid else { return reject(.invalidSpanID, "span ids must not be all zero") }
        var fields = raw.fields
        addReferences(raw, &fields)
        let status = JaegerStatus(&raw.tags.kept)
        fields.kind = status.kind.rawValue
        fields.statusCode = status.code.rawValue
        fields.statusMessage = status.message.isEmpty ? 0 : builder.intern(status.message)
        if hasOpenTelemetryTags { readOpenTelemetryTags(&raw.tags.kept, &fields) }
        for tag in raw.tags.kept where !tag.isTold {
            builder.addSpanAttribute(key: builder.intern(key: tag.key), value: tag.value(in: &builder))
        }
        fields.droppedAttributesCount = raw.tags.quota.refused
        fields.droppedEventsCount = raw.events.refused
        fields.droppedLinksCount = raw.links.refused &+ raw.invalidLinkCount
        intake.drop(events: raw.events, links: raw.links, invalidLinks: raw.invalidLinkCount)
        try intake.add(
            Intake.Size.span + Intake.Size.link * raw.references.count,
            attributes: raw.tags.quota,
            at: offset
        )
        builder.addSpan(fields)
        raw.tags.recycle(as: &spareTags)
    }

    mutating func reject(_ reason: RejectionReason, _ message: @autoclosure () -> String) {
        builder.discardSpan()
        rejections.add(reason, message())
    }

    /// Leaves out a span that says nothing at all, without a word.
    mutating func discardSpan() { builder.discardSpan() }

    /// The parent is the one that the span names itself, else the first "child of", else the first "follows from", in the
    /// same trace. Every other reference is a link.
    private mutating func addReferences(_ raw: borrowing Raw, _ fields: inout SpanBatchBuilder.SpanFields) {
        let traceID = fields.traceID
        var parent: Int?
        if raw.parent.isValid {
            fields.parentSpanID = raw.parent
            for (index, reference) in raw.references.enumerated() where parent == nil {
                if reference.isChildOf, reference.traceID == traceID, reference.spanID == raw.parent { parent = index }
            }
        } else {
            let own = raw.references.indices.filter {
                raw.references[$0].traceID == traceID && raw.references[$0].spanID.isValid
            }
            parent = own.first { raw.references[$0].isChildOf } ?? own.first
            if let parent { fields.parentSpanID = raw.references[parent].spanID }
        }
        for (index, reference) in raw.references.enumerated() where index != parent {
            builder.addLinkAttribute(
                key: builder.intern("opentracing.ref_type"),
                value: builder.intern(.string(reference.isChildOf ? "child_of" : "follows_from"))
            )
            builder.addLink(traceID: reference.traceID, spanID: reference.spanID)
        }
    }

    private mutating func readOpenTelemetryTags(
        _ tags: inout [JaegerTag],
        _ fields: inout SpanBatchBuilder.SpanFields
    ) {
        var (name, version): (SpanBatch.Ref, SpanBatch.Ref) = (0, 0)
        for index in tags.indices where tags[index].kind == .string {
            let tag = tags[index]
            if tag.isNamed("w3c.tracestate") {
                fields.traceState = builder.intern(text: tag.text)
                fields.weight = SamplingThreshold.weight(ofTraceState: tag.text)
            } else if tag.isNamed("otel.scope.name") || tag.isNamed("otel.library.name") {
                name = builder.intern(text: tag.text)
            } else if tag.isNamed("otel.scope.version") || tag.isNamed("otel.library.version") {
                version = builder.intern(text: tag.text)
            } else {
                continue
            }
            tags[index].isTold = true
        }
        fields.scope = scopeRow(name, version)
    }
}
