// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Zipkin {
    /// A span of version 1, where kind, service and times are told by annotations, and which may hold both sides of a call.
    ///
    ///     cs, cr    client sent, received              ca    address of the client
    ///     sr, ss    server received, sent              sa    address of the server
    ///     ms, mr    producer sent, consumer received   ma    address of the queue
    ///     ws, wr    wire sent, received                lc    marks the service of a span without any of these
    ///
    /// It is kept until all its parts were read; one is reused for all spans of a request.
    struct V1Span: ~Copyable {
        var ids = SpanIDs()
        /// Text.
        var name: SpanBatch.Ref = 0
        /// Since 1970; 0 or less when not known: the annotations say it then.
        var timestampMicros: Int64 = 0
        /// 0 or less when not known.
        var durationMicros: Int64 = 0
        var isDebug = false
        private(set) var annotations: [Annotation] = []
        private(set) var binaryAnnotations: [BinaryAnnotation] = []
        /// How many were too many.
        private(set) var annotationRoom = Quota(0)
        private(set) var binaryAnnotationRoom = Quota(0)
        /// Holds keys and texts.
        private var texts = ByteWriter(capacity: 256)

        /// Something that happened at a moment, at one end of a call.
        struct Annotation {
            var micros: Int64 = 0
            var text = 0..<0
            var endpoint: Endpoint?
        }

        /// A tag of one end of a call, or the address of the other.
        struct BinaryAnnotation {
            var key = 0..<0
            var value = Value.text(0..<0)
            var endpoint: Endpoint?

            /// What is no text in the span is none as an attribute.
            enum Value {
                case text(Range<Int>)
                case bytes(Range<Int>)
                case bool(Bool)
                case int(Int64)
                case double(Double)
            }
        }

        /// Forgets the span; the next may have as many annotations of either kind as `room` takes.
        mutating func removeAll(room: Quota) {
            ids = SpanIDs()
            name = 0
            (timestampMicros, durationMicros) = (0, 0)
            isDebug = false
            annotations.removeAll(keepingCapacity: annotations.count < 1000)
            binaryAnnotations.removeAll(keepingCapacity: binaryAnnotations.count < 1000)
            (annotationRoom, binaryAnnotationRoom) = (room, room)
            texts.removeAll()
        }

        mutating func takeAnnotation() -> Bool { annotationRoom.take() }
        mutating func takeBinaryAnnotation() -> Bool { binaryAnnotationRoom.take() }

        mutating func add(_ annotation: Annotation) { annotations.append(annotation) }
        mutating func add(_ annotation: BinaryAnnotation) { binaryAnnotations.append(annotation) }

        /// Keeps a text.
        mutating func keep(_ text: UnsafeRawBufferPointer) -> Range<Int> {
            let start = texts.count
            texts.append(text)
            return start..<texts.count
        }

        /// A text that was kept; valid until the next is.
        func text(_ range: Range<Int>) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: texts.bytes[range])
        }

        /// Whether a text that was kept is `word`.
        func says(_ range: Range<Int>, _ word: StaticString) -> Bool { word ~= JSONKey(bytes: text(range)) }
    }
}
