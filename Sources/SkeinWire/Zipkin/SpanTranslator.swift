// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Zipkin {
    /// Takes Zipkin's spans part by part, in any order, and adds them to a batch in OpenTelemetry's terms (see ``Zipkin``).
    ///
    ///     translator.start(isDebug:)
    ///     for each span: set `ids` and `span`, open and close tags, add annotations, then `endSpan(at:)`
    ///     translator.finish(…), or `cancel()`
    struct SpanTranslator: ~Copyable {
        private(set) var builder = SpanBatchBuilder()
        private var rejections = Rejections()
        private(set) var intake: Intake
        private var roles = TagRoles()
        /// The refs of the keys of endpoints by their roles, once they are needed; 0 before.
        private var endpointKeys: [SpanBatch.Ref] = []
        private var receivedUnixNanos: UInt64 = 0
        private var isDebug = false
        private var text = ByteWriter(capacity: 64)

        /// The ids of the span.
        var ids = SpanIDs()
        /// The fields of the span.
        var span = Fields()
        private var attributes = Quota(0)
        private var events = Quota(0)
        private var links = Quota(0)
        private var said = Said()
        /// Attributes of the span's resource beside the service name: key, value, key, value…
        private var resourcePairs: [SpanBatch.Ref] = []
        private var lastResource: (serviceName: SpanBatch.Ref, pairs: [SpanBatch.Ref], row: UInt32)?
        private var lastScope: (name: SpanBatch.Ref, version: SpanBatch.Ref, row: UInt32)?

        init(_ limits: DecodingLimits) { intake = Intake(limits) }

        // MARK: Requests

        /// Starts anew; `isDebug` says that all spans are to be kept.
        mutating func start(receivedUnixNanos: UInt64, isDebug: Bool) {
            self.receivedUnixNanos = receivedUnixNanos
            self.isDebug = isDebug
            rejections = Rejections()
            intake = Intake(intake.limits)
            roles.removeAll()
            endpointKeys = [0, 0, 0, 0, 0]
            lastResource = nil
            lastScope = nil
            startSpan()
        }

        /// Hands out the spans.
        mutating func finish() -> DecodedSpans {
            var decoded = DecodedSpans(batch: builder.finish(receivedUnixNanos: receivedUnixNanos))
            decoded.rejected = rejections.counts
            decoded.firstMessage = rejections.firstMessage
            decoded.dropped = intake.dropped
            decoded.warning = intake.warning
            return decoded
        }

        /// Drops all of the request.
        mutating func cancel() { builder.removeAll() }

        // MARK: Texts

        mutating func intern(text: UnsafeRawBufferPointer) -> SpanBatch.Ref { builder.intern(text: text) }

        mutating func intern(stringValue text: UnsafeRawBufferPointer) -> SpanBatch.Ref {
            text.isEmpty ? 0 : builder.intern(stringValue: text)
        }

        /// The text of an address of 4 bytes as a string value; 0 for none, and for other lengths.
        mutating func intern(ipv4 bytes: UnsafeRawBufferPointer) -> SpanBatch.Ref {
            guard bytes.count == 4 else { return 0 }
            text.removeAll()
            AddressText.append(ipv4: bytes, to: &text)
            return builder.intern(stringValue: text.bytes)
        }

        /// The text of an address of 16 bytes as a string value; 0 for none, and for other lengths.
        mutating func intern(ipv6 bytes: UnsafeRawBufferPointer) -> SpanBatch.Ref {
            guard bytes.count == 16 else { return 0 }
            text.removeAll()
            AddressText.append(ipv6: bytes, to: &text)
            return builder.intern(stringValue: text.bytes)
        }

        /// The name of a service as a string value; 0 for none, and for the name that stands for none (OpenTelemetry Collector
        /// contrib 0.130, `pkg/translator/zipkin` constants).
        mutating func intern(serviceName text: UnsafeRawBufferPointer) -> SpanBatch.Ref {
            "OTLPResourceNoServiceName" ~= JSONKey(bytes: text) ? 0 : intern(stringValue: text)
        }

        // MARK: Tags

        /// A tag whose key was read.
        struct Tag {
            var key: SpanBatch.Ref
            var role: TagRole
        }

        /// Whether there is room for another tag.
        mutating func takeTag() -> Bool { attributes.take() }

        /// Takes the key of a tag, whose value comes next.
        @inline(__always)
        mutating func openTag(_ key: UnsafeRawBufferPointer) -> Tag {
            let ref = builder.intern(key: key)
            return Tag(key: ref, role: roles.role(of: ref, key))
        }

        /// Takes the value of a tag.
        @inline(__always)
        mutating func close(_ tag: Tag, _ text: UnsafeRawBufferPointer, at offset: Int) throws(WireError) {
            if tag.role == .plain {
                builder.addSpanAttribute(key: tag.key, value: builder.intern(stringOfKey: text))
            } else if tag.role == .resource {
                resourcePairs.append(tag.key)
                resourcePairs.append(builder.intern(stringOfKey: text))
            } else if tag.role == .link, let link = LinkTag(text) {
                try add(link, at: offset)
            } else {
                closeSpecial(tag, text)
            }
        }

        /// Takes the value of a tag that is no string.
        mutating func close(_ tag: Tag, _ value: AttributeValue) {
            builder.addSpanAttribute(key: tag.key, value: builder.intern(value))
        }

        @inline(never)
        private mutating func closeSpecial(_ tag: Tag, _ text: UnsafeRawBufferPointer) {
            let word = JSONKey(bytes: text)
            switch tag.role {
            case .plain, .resource, .link: break
            case .error:
                said.isError = true
                switch word {
                case "true": return
                case "false": break
                default: said.errorMessage = builder.intern(text: text)
                }
            case .serviceName:
                said.serviceName = (tag.key, intern(serviceName: text))
                return
            case .statusCode:
                switch word {
                case "OK": said.statusCode = .ok
                case "ERROR": said.statusCode = .error
                case "UNSET": said.statusCode = .unset
                default: builder.addSpanAttribute(key: tag.key, value: builder.intern(stringValue: text))
                }
                return
            case .statusDescription:
                said.statusDescription = (tag.key, builder.intern(stringValue: text))
                return
            case .traceState:
                said.traceState = builder.intern(text: text)
                said.weight = SamplingThreshold.weight(ofTraceState: text)
                return
            case .scopeName:
                said.scopeName = builder.intern(text: text)
                return
            case .scopeVersion:
                said.scopeVersion = builder.intern(text: text)
                return
            case .spanKind:
                said.spanKind = (tag.key, builder.intern(stringValue: text))
                said.isInternal = "internal" ~= word
                return
            case .droppedAttributesCount:
                if let count = UInt32(word.text) { return said.droppedAttributes = count }
            case .droppedEventsCount:
                if let count = UInt32(word.text) { return said.droppedEvents = count }
            case .droppedLinksCount:
                if let count = UInt32(word.text) { return said.droppedLinks = count }
            case .hostAddress, .hostPort, .peerService, .peerAddress, .peerPort:
                said.endpointTags |= tag.role.bit
            }
            builder.addSpanAttribute(key: tag.key, value: builder.intern(stringValue: text))
        }

        private mutating func add(_ link: LinkTag, at offset: Int) throws(WireError) {
            guard links.take() else { return }
            var room = intake.quota()
            for attribute in link.attributes where room.take() {
                builder.addLinkAttribute(key: builder.intern(attribute.key), value: builder.intern(attribute.value))
            }
            try intake.add(Intake.Size.link, attributes: room, at: offset)
            builder.addLink(
                traceID: link.traceID,
                spanID: link.spanID,
                traceState: builder.intern(link.traceState),
                droppedAttributesCount: link.droppedAttributesCount &+ room.refused
            )
        }

        // MARK: Annotations

        /// An annotation whose text was read.
        struct Event {
            var name: SpanBatch.Ref = 0
            var attributes: [Attribute] = []
            var droppedAttributesCount: UInt32 = 0
        }

        /// Whether there is room for another annotation.
        mutating func takeAnnotation() -> Bool { events.take() }

        /// What the text of an annotation says.
        mutating func event(_ text: UnsafeRawBufferPointer) -> Event {
            guard let said = AnnotationText(text) else { return Event(name: builder.intern(text: text)) }
            return Event(
                name: builder.intern(said.name),
                attributes: said.attributes,
                droppedAttributesCount: said.droppedAttributesCount
            )
        }

        /// Adds an annotation of the span.
        mutating func add(_ event: Event, micros: Int64, at offset: Int) throws(WireError) {
            var room = intake.quota()
            for attribute in event.attributes where room.take() {
                builder.addEventAttribute(key: builder.intern(attribute.key), value: builder.intern(attribute.value))
            }
            try intake.add(Intake.Size.event, attributes: room, at: offset)
            builder.addEvent(
                timeUnixNanos: UnixTime.nanos(ofMicros: micros),
                name: event.name,
                droppedAttributesCount: event.droppedAttributesCount &+ room.refused
            )
            noteAnnotation(micros)
        }

        /// Notes the time of an annotation, for a span without a timestamp.
        mutating func noteAnnotation(_ micros: Int64) {
            if micros > 0, said.firstAnnotationMicros == 0 || micros < said.firstAnnotationMicros {
                said.firstAnnotationMicros = micros
            }
        }

        // MARK: Spans

        /// Forgets what was said of the span, whose tags and annotations are limited anew; so many were refused before.
        mutating func startSpan(refusedTags: UInt32 = 0, refusedAnnotations: UInt32 = 0) {
            ids = SpanIDs()
            span = Fields(isDebug: isDebug)
            said = Said()
            resourcePairs.removeAll(keepingCapacity: true)
            (attributes, events, links) = (intake.quota(), intake.quota(), intake.quota())
            attributes.refuse(refusedTags)
            events.refuse(refusedAnnotations)
        }

        /// Adds the span, or counts it as rejected, and starts the next one.
        mutating func endSpan(at offset: Int) throws(WireError) {
            intake.drop(events: events, links: links)
            try intake.add(Intake.Size.span, attributes: attributes, at: offset)
            if let reason = ids.fault {
                builder.discardSpan()
                rejections.add(reason, ids.message(reason))
            } else {
                addSpan()
            }
            startSpan()
        }

        private mutating func addSpan() {
            var fields = SpanBatchBuilder.SpanFields()
            fields.traceID = ids.traceID
            fields.spanID = ids.spanID
            fields.parentSpanID = ids.parentSpanID == ids.spanID ? .zero : ids.parentSpanID
            fields.name = span.name
            setTimes(&fields)
            setKindAndStatus(&fields)
            fields.traceState = said.traceState
            fields.weight = said.weight
            if span.isDebug {
                fields.flags = 1
                builder.addSpanAttribute(key: builder.intern("zipkin.debug"), value: builder.intern(.bool(true)))
            }
            addEndpoints()
            fields.droppedAttributesCount = said.droppedAttributes &+ attributes.refused
            fields.droppedEventsCount = said.droppedEvents &+ events.refused
            fields.droppedLinksCount = said.droppedLinks &+ links.refused
            fields.resource = resource()
            fields.scope = scope()
            builder.addSpan(fields)
        }

        private mutating func setTimes(_ fields: inout SpanBatchBuilder.SpanFields) {
            fields.startUnixNanos = UnixTime.nanos(ofMicros: span.timestampMicros)
            if span.timestampMicros <= 0 {
                fields.startUnixNanos =
                    said.firstAnnotationMicros > 0
                    ? UnixTime.nanos(ofMicros: said.firstAnnotationMicros) : receivedUnixNanos
                let key = builder.intern("otel.zipkin.absentField.startTime")
                builder.addSpanAttribute(key: key, value: builder.intern(.bool(true)))
            }
            let (end, overflow) = fields.startUnixNanos.addingReportingOverflow(
                UnixTime.nanos(ofMicros: span.durationMicros)
            )
            fields.endUnixNanos = overflow ? .max : end
        }

        private mutating func setKindAndStatus(_ fields: inout SpanBatchBuilder.SpanFields) {
            fields.kind = span.kind.rawValue
            if let tag = said.spanKind {
                if span.kind == .unspecified, said.isInternal {
                    fields.kind = Span.Kind.internal.rawValue
                } else {
                    builder.addSpanAttribute(key: tag.key, value: tag.value)
                }
            }
            // Only the called side shares an id with another; without a kind Zipkin takes it for a server.
            if span.isShared, fields.kind == Span.Kind.unspecified.rawValue { fields.kind = Span.Kind.server.rawValue }
            let isError = said.isError || said.statusCode == .error
            fields.statusCode = (isError ? .error : said.statusCode).rawValue
            if isError { fields.statusMessage = said.errorMessage }
            if let tag = said.statusDescription {
                if isError {
                    fields.statusMessage = builder.intern(textOfValue: tag.value)
                } else {
                    builder.addSpanAttribute(key: tag.key, value: tag.value)
                }
            }
        }

        private mutating func resource() -> UInt32 {
            var serviceName = span.localEndpoint.serviceName
            if let tag = said.serviceName, tag.value != serviceName {
                if serviceName == 0 {
                    serviceName = tag.value
                } else {
                    builder.addSpanAttribute(key: tag.key, value: tag.value)
                }
            }
            if let last = lastResource, last.serviceName == serviceName, last.pairs == resourcePairs { return last.row }
            if serviceName != 0 {
                builder.addResourceAttribute(key: builder.intern("service.name"), value: serviceName)
            }
            for index in stride(from: 0, to: resourcePairs.count, by: 2) {
                builder.addResourceAttribute(key: resourcePairs[index], value: resourcePairs[index + 1])
            }
            let row = builder.addResource(serviceName: builder.intern(textOfValue: serviceName))
            lastResource = (serviceName, resourcePairs, row)
            return row
        }

        private mutating func scope() -> UInt32 {
            if let last = lastScope, last.name == said.scopeName, last.version == said.scopeVersion { return last.row }
            let row = builder.addScope(name: said.scopeName, version: said.scopeVersion)
            lastScope = (said.scopeName, said.scopeVersion, row)
            return row
        }

        // MARK: Endpoints

        private mutating func addEndpoints() {
            let (local, remote) = (span.localEndpoint, span.remoteEndpoint)
            add(local.address, as: .hostAddress, "net.host.ip")
            if local.port != 0 { add(value(of: local.port), as: .hostPort, "net.host.port") }
            add(remote.serviceName, as: .peerService, "peer.service")
            add(remote.address, as: .peerAddress, "net.peer.ip")
            if remote.port != 0 { add(value(of: remote.port), as: .peerPort, "net.peer.port") }
        }

        private mutating func add(_ value: SpanBatch.Ref, as role: TagRole, _ key: String) {
            guard value != 0, said.endpointTags & role.bit == 0 else { return }
            let index = Int(role.rawValue - TagRole.hostAddress.rawValue)
            if endpointKeys[index] == 0 { endpointKeys[index] = builder.intern(key) }
            builder.addSpanAttribute(key: endpointKeys[index], value: value)
        }

        private mutating func value(of port: UInt16) -> SpanBatch.Ref { builder.intern(.int(Int64(port))) }
    }
}
