// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What both formats of version 1 have in common: a span that was read becomes one, or one for each of its two sides.
extension Zipkin.SpanDecoder {
    /// Starts a span.
    mutating func startV1Span() { v1.removeAll(room: translator.intake.quota()) }

    /// Adds what the span says.
    mutating func endV1Span(at offset: Int) throws(WireError) {
        let sides = Zipkin.V1Sides(v1)
        guard let caller = sides.caller, let callee = sides.callee else {
            try add(sides.caller ?? sides.callee ?? sides.local, of: sides, isWhole: true, at: offset) { _ in true }
            return
        }
        func isCallee(_ endpoint: Zipkin.Endpoint?) -> Bool {
            guard let endpoint, endpoint != caller.endpoint else { return false }
            return endpoint == callee.endpoint
                || endpoint.serviceName == callee.endpoint?.serviceName
                    && endpoint.serviceName != caller.endpoint?.serviceName
        }
        try add(caller, of: sides, isWhole: true, at: offset) { !isCallee($0) }
        try add(callee, of: sides, isWhole: false, at: offset, where: isCallee)
    }

    /// Adds one side, with those annotations whose endpoint is its. The times of the span are those of its caller: a callee
    /// that is not the `isWhole` span has its own.
    private mutating func add(
        _ side: Zipkin.V1Sides.Side,
        of sides: Zipkin.V1Sides,
        isWhole: Bool,
        at offset: Int,
        where isOwn: (Zipkin.Endpoint?) -> Bool
    ) throws(WireError) {
        translator.startSpan(
            refusedTags: isWhole ? v1.binaryAnnotationRoom.refused : 0,
            refusedAnnotations: isWhole ? v1.annotationRoom.refused : 0
        )
        translator.ids = v1.ids
        translator.span.name = v1.name
        translator.span.kind = side.kind
        translator.span.localEndpoint = side.endpoint ?? Zipkin.Endpoint()
        translator.span.remoteEndpoint = side.remoteEndpoint
        if v1.isDebug { translator.span.isDebug = true }
        setTimes(of: side, isWhole: isWhole)
        for (index, annotation) in v1.annotations.enumerated() {
            guard !sides.hasConsumed(index), isOwn(annotation.endpoint), translator.takeAnnotation() else {
                continue
            }
            let event = translator.event(v1.text(annotation.text))
            try translator.add(event, micros: annotation.micros, at: offset)
        }
        for (index, annotation) in v1.binaryAnnotations.enumerated() {
            guard !sides.hasConsumed(annotation, at: index), isOwn(annotation.endpoint), translator.takeTag() else {
                continue
            }
            let tag = translator.openTag(v1.text(annotation.key))
            switch annotation.value {
            case .text(let text): try translator.close(tag, v1.text(text), at: offset)
            case .bytes(let bytes): translator.close(tag, .bytes([UInt8](v1.text(bytes))))
            case .bool(let bool): translator.close(tag, .bool(bool))
            case .int(let int): translator.close(tag, .int(int))
            case .double(let double): translator.close(tag, .double(double))
            }
        }
        try translator.endSpan(at: offset)
    }

    private mutating func setTimes(of side: Zipkin.V1Sides.Side, isWhole: Bool) {
        let (told, own) = (max(0, v1.timestampMicros), max(0, side.startMicros))
        let start = isWhole ? (told > 0 ? told : own) : (own > 0 ? own : told)
        translator.span.timestampMicros = start
        translator.noteAnnotation(side.endMicros)
        if isWhole, v1.durationMicros > 0 {
            translator.span.durationMicros = v1.durationMicros
        } else if start > 0, side.endMicros > start {
            translator.span.durationMicros = side.endMicros - start
        }
    }
}
