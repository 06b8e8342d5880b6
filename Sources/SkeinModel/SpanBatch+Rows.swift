// SPDX-License-Identifier: Apache-2.0

extension SpanBatch {
    /// Span `row` as a value of its own.
    public func span(at row: Int) -> Span {
        var span = Span(
            traceID: traceIDs[row],
            spanID: spanIDs[row],
            parentSpanID: parentSpanIDs[row],
            name: dictionary.string(nameRefs[row]),
            kind: Span.Kind(rawValue: kinds[row]) ?? .unspecified,
            startUnixNanos: startUnixNanos[row],
            durationNanos: durationNanos[row]
        )
        span.traceState = dictionary.string(Self.value(traceStateRefs, row, default: 0))
        span.flags = Self.value(flags, row, default: 0)
        span.endsBeforeStart = Self.value(marks, row, default: []).contains(.endsBeforeStart)
        span.status = Span.Status(
            Span.Status.Code(rawValue: statusCodes[row]) ?? .unset,
            message: dictionary.string(Self.value(statusMessageRefs, row, default: 0))
        )
        span.attributes = list(attributes, row)
        span.droppedAttributesCount = Self.value(droppedAttributesCounts, row, default: 0)
        span.events = events.range(of: row).map { event in
            Span.Event(
                timeUnixNanos: events.timeUnixNanos[event],
                name: dictionary.string(events.nameRefs[event]),
                attributes: list(events.attributes, event),
                droppedAttributesCount: Self.value(events.droppedAttributesCounts, event, default: 0)
            )
        }
        span.droppedEventsCount = Self.value(droppedEventsCounts, row, default: 0)
        span.links = links.range(of: row).map { link in
            Span.Link(
                traceID: links.traceIDs[link],
                spanID: links.spanIDs[link],
                traceState: dictionary.string(Self.value(links.traceStateRefs, link, default: 0)),
                flags: Self.value(links.flags, link, default: 0),
                attributes: list(links.attributes, link),
                droppedAttributesCount: Self.value(links.droppedAttributesCounts, link, default: 0)
            )
        }
        span.droppedLinksCount = Self.value(droppedLinksCounts, row, default: 0)
        span.resource = resource(at: Int(resourceRows[row]))
        span.scope = scope(at: Int(scopeRows[row]))
        span.weight = Self.value(weights, row, default: 1)
        return span
    }

    /// Every span, in row order.
    public var spans: [Span] { (0..<count).map(span(at:)) }

    /// Resource `row` of the batch's own table.
    package func resource(at row: Int) -> Resource {
        Resource(
            attributes: list(resources.attributes, row),
            droppedAttributesCount: resources.droppedAttributesCounts[row],
            schemaURL: dictionary.string(resources.schemaURLRefs[row])
        )
    }

    /// Scope `row` of the batch's own table.
    package func scope(at row: Int) -> InstrumentationScope {
        InstrumentationScope(
            name: dictionary.string(scopes.nameRefs[row]),
            version: dictionary.string(scopes.versionRefs[row]),
            attributes: list(scopes.attributes, row),
            droppedAttributesCount: scopes.droppedAttributesCounts[row],
            schemaURL: dictionary.string(scopes.schemaURLRefs[row])
        )
    }

    /// The service name of span `row`, empty when its resource has none.
    package func serviceName(at row: Int) -> String {
        dictionary.string(resources.serviceNameRefs[Int(resourceRows[row])])
    }

    /// Nanoseconds since 1970; at most `UInt64.max`.
    package func endUnixNanos(at row: Int) -> UInt64 {
        let (end, overflow) = startUnixNanos[row].addingReportingOverflow(durationNanos[row])
        return overflow ? .max : end
    }

    private func list(_ table: AttributeTable, _ owner: Int) -> [Attribute] {
        table.range(of: owner).map {
            Attribute(dictionary.string(table.keyRefs[$0]), dictionary.value(table.valueRefs[$0]))
        }
    }
}
