// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Zipkin {
    /// What the core annotations of a span of version 1 say of its sides (see ``V1Span``).
    struct V1Sides {
        /// One side of a call.
        struct Side {
            var kind = Span.Kind.unspecified
            var endpoint: Endpoint?
            /// 0 when not known.
            var startMicros: Int64 = 0
            /// 0 when not known.
            var endMicros: Int64 = 0
            var remoteEndpoint = Endpoint()
        }

        /// The side that calls or sends.
        private(set) var caller: Side?
        /// The side that is called or receives.
        private(set) var callee: Side?
        /// What is neither.
        private(set) var local = Side()
        /// Indices of the annotations that became times; -1 fills up.
        private var consumed = SIMD8<Int>(repeating: -1)
        /// Indices of the binary annotations that became addresses or marks.
        private var consumedBinary: Set<Int> = []

        /// A core annotation.
        private enum Core: Int, CaseIterable {
            case clientSend, clientReceive, serverReceive, serverSend
            case messageSend, messageReceive, wireSend, wireReceive

            var word: StaticString {
                switch self {
                case .clientSend: "cs"
                case .clientReceive: "cr"
                case .serverReceive: "sr"
                case .serverSend: "ss"
                case .messageSend: "ms"
                case .messageReceive: "mr"
                case .wireSend: "ws"
                case .wireReceive: "wr"
                }
            }
        }

        init(_ span: borrowing V1Span) {
            let found = Self.find(in: span)
            func side(_ kind: Span.Kind, _ start: Core, _ end: Core, _ taken: inout SIMD8<Int>) -> Side? {
                guard found[start.rawValue] >= 0 || found[end.rawValue] >= 0 else { return nil }
                var side = Side(kind: kind)
                for core in [start, end] {
                    let index = found[core.rawValue]
                    guard index >= 0 else { continue }
                    taken[core.rawValue] = index
                    let annotation = span.annotations[index]
                    if side.endpoint == nil { side.endpoint = annotation.endpoint }
                    if core == start {
                        side.startMicros = annotation.micros
                    } else {
                        side.endMicros = annotation.micros
                    }
                }
                return side
            }
            caller = side(.client, .clientSend, .clientReceive, &consumed)
            callee = side(.server, .serverReceive, .serverSend, &consumed)
            if caller == nil, found[Core.messageSend.rawValue] >= 0 {
                caller = side(.producer, .messageSend, .wireSend, &consumed)
            }
            if callee == nil, found[Core.messageReceive.rawValue] >= 0 {
                // What was not seen on the wire happened at one moment.
                let start = found[Core.wireReceive.rawValue] < 0 ? Core.messageReceive : .wireReceive
                callee = side(.consumer, start, .messageReceive, &consumed)
            }
            findAddresses(span)
            let known = local.endpoint ?? firstEndpoint(of: span)
            local.endpoint = known
            // Some clients name no end where they say what happened.
            if caller != nil, callee == nil, caller?.endpoint == nil { caller?.endpoint = known }
            if callee != nil, caller == nil, callee?.endpoint == nil { callee?.endpoint = known }
        }

        /// Whether the annotation became a time.
        func hasConsumed(_ index: Int) -> Bool { any(consumed .== SIMD8(repeating: index)) }

        /// Whether the binary annotation became an address or a mark, which are all named by two letters.
        func hasConsumed(_ annotation: V1Span.BinaryAnnotation, at index: Int) -> Bool {
            annotation.key.count == 2 && consumedBinary.contains(index)
        }

        /// The index of the first annotation that says each core annotation, by its number; -1 for none.
        private static func find(in span: borrowing V1Span) -> SIMD8<Int> {
            var found = SIMD8<Int>(repeating: -1)
            for (index, annotation) in span.annotations.enumerated() where annotation.text.count == 2 {
                for core in Core.allCases where found[core.rawValue] < 0 && span.says(annotation.text, core.word) {
                    found[core.rawValue] = index
                }
            }
            return found
        }

        private mutating func findAddresses(_ span: borrowing V1Span) {
            for (index, annotation) in span.binaryAnnotations.enumerated() where annotation.key.count == 2 {
                if span.says(annotation.key, "lc") {
                    if local.endpoint == nil { local.endpoint = annotation.endpoint }
                    if case .text(let text) = annotation.value, !text.isEmpty { continue }
                    consumedBinary.insert(index)
                    continue
                }
                guard let endpoint = annotation.endpoint, Self.isMark(annotation.value, span) else { continue }
                if span.says(annotation.key, "sa") {
                    setRemote(endpoint, \.caller)
                } else if span.says(annotation.key, "ca") {
                    setRemote(endpoint, \.callee)
                } else if span.says(annotation.key, "ma") {
                    setRemote(endpoint, caller == nil ? \.callee : \.caller)
                } else {
                    continue
                }
                consumedBinary.insert(index)
            }
        }

        /// An address has the value true; some clients send "1" or "true".
        private static func isMark(_ value: V1Span.BinaryAnnotation.Value, _ span: borrowing V1Span) -> Bool {
            switch value {
            case .bool(let isTrue): isTrue
            case .text(let text): span.says(text, "1") || span.says(text, "true")
            case .bytes, .int, .double: false
            }
        }

        private mutating func setRemote(_ endpoint: Endpoint, _ side: WritableKeyPath<Self, Side?>) {
            if self[keyPath: side] == nil {
                // The address of the other side of a span that has no sides.
                if caller == nil, callee == nil { local.remoteEndpoint = endpoint }
                return
            }
            var remote = endpoint
            // A side that calls itself by the name of the other knows only where that is.
            if remote.serviceName == self[keyPath: side]?.endpoint?.serviceName { remote.serviceName = 0 }
            self[keyPath: side]?.remoteEndpoint = remote
        }

        /// The first end that any annotation names.
        private func firstEndpoint(of span: borrowing V1Span) -> Endpoint? {
            for annotation in span.annotations {
                if let endpoint = annotation.endpoint { return endpoint }
            }
            for (index, annotation) in span.binaryAnnotations.enumerated()
            where !hasConsumed(annotation, at: index) {
                if let endpoint = annotation.endpoint { return endpoint }
            }
            return nil
        }
    }
}
