// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// Reads spans from files and bodies of any of the forms of ``TraceFileFormat``, in memory for one object of the form: a
/// span of Zipkin's or the plain form, a trace of Jaeger's, the `ResourceSpans` of one resource of OTLP.
///
///     reader.append(bytes)                    // again and again; then reader.finish()
///     while let batch = reader.nextBatch(receivedUnixNanos: now) { … }
///
/// What cannot be read is left out and counted in ``report``, and the rest is read. Which form it is every object says
/// for itself.
package struct TraceFileReader: ~Copyable {
    /// Text that is read in one go; what a batch is made of, unless one object alone is longer.
    private static let chunkBytesMax = 256 << 10

    /// What came of it so far.
    package private(set) var report = TraceFileReport()
    private let format: TraceFileFormat?
    private var splitter: JSONSplitter
    private var isFinished = false
    private var chunk = Chunk()
    private var otlp: OTLP.JSONDecoder
    private var jaeger: Jaeger.JSONDecoder
    private var zipkin: Zipkin.SpanDecoder
    private var plain: Plain.JSONDecoder

    /// A reader of `format`, or of whatever form there is.
    package init(
        format: TraceFileFormat? = nil,
        objectBytesMax: Int = JSONSplitter.objectBytesMax,
        limits: DecodingLimits = DecodingLimits()
    ) {
        self.format = format
        splitter = JSONSplitter(objectBytesMax: objectBytesMax)
        otlp = OTLP.JSONDecoder(limits: limits)
        jaeger = Jaeger.JSONDecoder(limits: limits)
        zipkin = Zipkin.SpanDecoder(limits: limits)
        plain = Plain.JSONDecoder(limits: limits)
    }

    /// Takes the next bytes of the file.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) { splitter.append(bytes) }

    /// Says that the file ends here.
    package mutating func finish() {
        splitter.finish()
        isFinished = true
    }

    /// The next spans, never none; `nil` when it takes more bytes, or when there are no more.
    package mutating func nextBatch(receivedUnixNanos: UInt64) -> SpanBatch? {
        while let piece = splitter.next() {
            switch piece {
            case .fault(let fault, let place): note(fault, at: place)
            case .object(let bytes, let list, let place):
                guard let form = form(of: bytes, in: list, at: place) else { continue }
                var batch: SpanBatch?
                if chunk.form != form || chunk.text.count + bytes.count > Self.chunkBytesMax {
                    batch = readChunk(receivedUnixNanos)
                    chunk.begin(form)
                }
                chunk.append(bytes, at: place)
                if let batch { return batch }
            }
        }
        return isFinished ? readChunk(receivedUnixNanos) : nil
    }

    // MARK: Forms

    /// The form of an object; `nil` when it is left out.
    private mutating func form(
        of object: UnsafeRawBufferPointer,
        in list: JSONSplitter.List,
        at place: JSONSplitter.Place
    ) -> TraceFileFormat? {
        var keys: [String] = []
        let found: TraceFileFormat?
        switch list {
        case .resourceSpans: found = .otlp
        case .data: found = .jaeger
        case .unnamed:
            if let format, format != .otlp { return format }
            do throws(WireError) {
                found = try TraceFileFormat(of: object, keys: &keys)
            } catch {
                note(error, at: place)
                return nil
            }
        }
        guard let found else {
            let members = keys.isEmpty ? "no members" : "members " + keys.joined(separator: ", ")
            report.skip(.unknownForm, at: place, "an object that is no trace and no span, with \(members)")
            return nil
        }
        guard found == format ?? found else {
            report.skip(.unknownForm, at: place, "this is \(found.rawValue), not \(format?.rawValue ?? "")")
            return nil
        }
        return found
    }

    // MARK: Chunks

    /// Objects of one form that are read in one go.
    private struct Chunk: ~Copyable {
        var form: TraceFileFormat?
        /// The list of them.
        var text = ByteWriter(capacity: 4096)
        var objects: [(range: Range<Int>, place: JSONSplitter.Place)] = []

        mutating func begin(_ form: TraceFileFormat) {
            self.form = form
            // What one large object took is given back.
            if text.count > 4 * chunkBytesMax { text = ByteWriter(capacity: 4096) }
            text.removeAll()
            objects.removeAll(keepingCapacity: true)
            text.append(utf8: Self.opening(of: form))
        }

        mutating func append(_ object: UnsafeRawBufferPointer, at place: JSONSplitter.Place) {
            if !objects.isEmpty { text.append(UInt8(ascii: ",")) }
            let start = text.count
            text.append(object)
            objects.append((start..<text.count, place))
        }

        mutating func close() { text.append(utf8: Self.closing(of: form)) }

        static func opening(of form: TraceFileFormat) -> String { form == .otlp ? #"{"resourceSpans":["# : "[" }
        static func closing(of form: TraceFileFormat?) -> String { form == .otlp ? "]}" : "]" }
    }

    /// The spans of the chunk, which is empty then; `nil` when there are none.
    private mutating func readChunk(_ now: UInt64) -> SpanBatch? {
        guard let form = chunk.form, !chunk.objects.isEmpty else { return nil }
        chunk.close()
        defer { chunk.objects.removeAll() }
        do throws(WireError) {
            let decoded = try decode(chunk.text.bytes, form, now)
            noteRejections(decoded, form, now)
            return take(decoded, form)
        } catch {
            return readOneByOne(form, now)
        }
    }

    /// The same of a chunk that cannot be read whole: each object by itself, since one that cannot be read, or is of another
    /// version than the others, is no reason to leave those out.
    private mutating func readOneByOne(_ form: TraceFileFormat, _ now: UInt64) -> SpanBatch? {
        var builder = SpanBatchBuilder()
        for (range, place) in chunk.objects {
            let object = UnsafeRawBufferPointer(rebasing: chunk.text.bytes[range])
            do throws(WireError) {
                let decoded = try decode(alone: object, form, now)
                for (reason, count) in decoded.rejected {
                    report.skip(.span(reason), count, at: place, decoded.firstMessage)
                }
                guard let batch = take(decoded, form) else { continue }
                var merger = SpanBatchMerger(from: batch)
                for row in 0..<batch.count { merger.append(row, to: &builder) }
            } catch {
                note(error, at: place)
            }
        }
        let batch = builder.finish(receivedUnixNanos: now)
        return batch.isEmpty ? nil : batch
    }

    private mutating func decode(
        alone object: UnsafeRawBufferPointer,
        _ form: TraceFileFormat,
        _ now: UInt64
    ) throws(WireError) -> DecodedSpans {
        var alone = Chunk()
        alone.begin(form)
        alone.append(object, at: JSONSplitter.Place(line: 1))
        alone.close()
        return try decode(alone.text.bytes, form, now)
    }

    private mutating func decode(
        _ text: UnsafeRawBufferPointer,
        _ form: TraceFileFormat,
        _ now: UInt64
    ) throws(WireError) -> DecodedSpans {
        switch form {
        case .otlp: try otlp.decode(text, receivedUnixNanos: now)
        case .jaeger: try jaeger.decode(text, receivedUnixNanos: now)
        case .zipkin: try decodeZipkin(text, now)
        case .plain: try plain.decode(text, receivedUnixNanos: now)
        }
    }

    /// Spans of Zipkin's second version, or else of its first.
    private mutating func decodeZipkin(_ text: UnsafeRawBufferPointer, _ now: UInt64) throws(WireError) -> DecodedSpans
    {
        do throws(WireError) {
            return try zipkin.decode(text, as: .jsonV2, receivedUnixNanos: now)
        } catch {
            guard let old = try? zipkin.decode(text, as: .jsonV1, receivedUnixNanos: now) else { throw error }
            return old
        }
    }

    private mutating func take(_ decoded: DecodedSpans, _ form: TraceFileFormat) -> SpanBatch? {
        report.dropped.attributes += decoded.dropped.attributes
        report.dropped.events += decoded.dropped.events
        report.dropped.links += decoded.dropped.links
        if report.warning.isEmpty { report.warning = decoded.warning }
        guard !decoded.batch.isEmpty else { return nil }
        report.spanCounts[form, default: 0] += decoded.batch.count
        return decoded.batch
    }

    // MARK: Report

    /// Counts the spans that a decoder left out. Which object the first of a kind stands in, a second reading tells.
    private mutating func noteRejections(_ decoded: DecodedSpans, _ form: TraceFileFormat, _ now: UInt64) {
        for (reason, count) in decoded.rejected.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            if report.hasSkipped(.span(reason)) {
                report.skip(.span(reason), count, at: chunk.objects[0].place, "")
                continue
            }
            for (range, place) in chunk.objects {
                let object = UnsafeRawBufferPointer(rebasing: chunk.text.bytes[range])
                guard let alone = try? decode(alone: object, form, now), alone.rejected[reason] != nil else { continue }
                report.skip(.span(reason), count, at: place, alone.firstMessage)
                break
            }
        }
    }

    private mutating func note(_ fault: JSONSplitter.Fault, at place: JSONSplitter.Place) {
        switch fault {
        case .malformed(let message): report.skip(.malformed, at: place, message)
        case .cutOff: report.skip(.cutOff, at: place, "the file ends inside of it")
        case .notAnObject: report.skip(.unknownForm, at: place, "an element of a list that is no object")
        case .tooLarge(let limit):
            report.skip(
                .tooLarge,
                at: place,
                "an object of more than \(limit >> 20) MiB; write one trace or one request a line (JSON lines)"
            )
        }
    }

    /// Notes what a decoder said of an object that begins at `place`.
    private mutating func note(_ error: WireError, at place: JSONSplitter.Place) {
        var place = place
        place.line += (error.place?.line ?? 1) - 1
        report.skip(error.code == .tooLarge ? .tooLarge : .malformed, at: place, error.message)
    }
}
