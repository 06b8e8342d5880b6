// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// What late sampling decided about the traces of a block, kept in a file of its own from before the first block is written
/// anew until the last one was.
///
/// Taking it out of blocks twice is taking it out once: what is dropped is gone, and rows of what is kept are marked
/// (``SkeinModel/SpanBatch/Marks/lateSampled``) and not weighed again. So whatever was done before a stop, all is done again.
struct LateDecisions {
    /// A trace that is kept, in part at least.
    struct Kept: Hashable {
        /// Number in ``decisions``.
        var decision: Int
        /// The span that gets the reason; zero for none.
        var reasonSpanID: SpanID
        var reasonKind: UInt8
    }

    /// The log segments of the block whose traces these are.
    var segments: ClosedRange<UInt64>
    /// Every decision to keep that was made.
    private(set) var decisions: [LateDecision] = []
    private var numbers: [LateDecision: Int] = [:]
    private(set) var kept: [TraceID: Kept] = [:]
    /// Of kept traces what is said of single spans.
    private(set) var skeletons: [TraceID: LateSkeleton] = [:]
    /// Kept traces of which some spans go.
    private(set) var reduced: Set<TraceID> = []
    /// Memory of ``skeletons``, roughly.
    private(set) var skeletonByteCount = 0
    private(set) var dropped: Set<TraceID> = []
    /// Those that have rows in other blocks, too.
    private(set) var scattered: Set<TraceID> = []

    init(segments: ClosedRange<UInt64>) { self.segments = segments }

    var isEmpty: Bool { kept.isEmpty && dropped.isEmpty }

    /// Traces of which spans go.
    var losing: Set<TraceID> { dropped.union(reduced) }

    /// Whether the trace is decided here.
    func contains(_ id: TraceID) -> Bool { kept[id] != nil || dropped.contains(id) }

    /// Whether a span goes with all that does not stay of its trace.
    func isLeftOut(_ span: SpanID, of id: TraceID) -> Bool {
        reduced.contains(id) && skeletons[id]?.leaving.contains(span) ?? false
    }

    /// Notes a decision. Kept traces say why in the span that `reason` found.
    mutating func note(_ id: TraceID, _ decision: LateDecision, reason: ReasonSpan?, isScattered: Bool) {
        if isScattered { scattered.insert(id) }
        guard decision.isKept || decision.skeleton != nil else {
            dropped.insert(id)
            return
        }
        var decision = decision
        if let skeleton = decision.skeleton {
            skeletons[id] = skeleton
            skeletonByteCount += skeleton.byteCount
        }
        decision.skeleton = nil
        if !decision.isKept { reduced.insert(id) }
        let number = numbers[decision] ?? decisions.count
        if number == decisions.count {
            decisions.append(decision)
            numbers[decision] = number
        }
        kept[id] = Kept(decision: number, reasonSpanID: reason?.spanID ?? .zero, reasonKind: reason?.kind ?? 0)
    }

    /// Takes a trace back, before anything was done.
    mutating func forget(_ id: TraceID) {
        kept[id] = nil
        skeletonByteCount -= skeletons.removeValue(forKey: id)?.byteCount ?? 0
        reduced.remove(id)
        dropped.remove(id)
        scattered.remove(id)
    }

    /// Memory of decisions about so many traces, roughly, and of what it takes to know where these lie.
    static func byteCount(ofTraces count: Int) -> Int { count * 144 }
}

// MARK: In the file

extension LateDecisions {
    static let magic: UInt64 = 0x6574_614c_6e69_6b53
    static let version: UInt32 = 2
    static let type: UInt32 = 0x4554_414c
    private static let byteCountMax = 1 << 30

    //     varints: first and last segment
    //     varint number of decisions; for each: varint threshold, 8 bytes factor, text reason
    //     varint kept traces; for each: 16 bytes id, varint decision, 8 bytes span id, 1 byte kind
    //     varint dropped traces; for each: 16 bytes id
    //     varint scattered traces; for each: 16 bytes id
    //   since version 2:
    //     varint skeletons; for each: 16 bytes id, 1 byte whether some of its spans go,
    //         varint spans, those that go or else those that stand for themselves; for each: 8 bytes id
    //         varint spans with attributes; for each: 8 bytes id, varint attributes; for each: text key, encoded value

    /// Writes the file, for good; one that is there is replaced.
    func write(_ disk: any Disk, _ folder: StoreFolder) throws(DiskError) {
        var bytes = RecordFile.header(magic: Self.magic, version: Self.version, number: 0)
        RecordFile.append(type: Self.type, to: &bytes) { append(to: &$0) }
        try disk.replace(folder.lateDecisions, with: bytes.bytes)
    }

    /// What the file holds; `nil` when there is none. Throws ``StoreError/Code/corrupt`` when it does not check,
    /// ``StoreError/Code/unusable`` when a later version wrote it.
    static func read(_ disk: any Disk, _ folder: StoreFolder) throws(StoreError) -> LateDecisions? {
        let path = folder.lateDecisions
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.contents(of: path, limit: byteCountMax)
        } catch {
            if error.code == .notFound { return nil }
            throw StoreError(read: error)
        }
        var newer: UInt32?
        var found: LateDecisions?
        bytes.withUnsafeBytes { bytes in
            guard case .good(let version, _) = RecordFile.readHeader(bytes, magic: magic) else { return }
            let holdsSkeletons = version >= 2
            if version > Self.version {
                newer = version
                return
            }
            _ = RecordFile.forEachRecord(bytes, types: [type]) { record in
                found = try? LateDecisions(decoding: record.payload, holdsSkeletons: holdsSkeletons)
                return false
            }
        }
        if let newer { throw StoreError(newer: newer, known: version, path: path) }
        guard let found else { throw StoreError(.corrupt, "what late sampling decided does not check", place: path) }
        return found
    }

    private func append(to out: inout ByteWriter) {
        out.appendVarint(segments.lowerBound)
        out.appendVarint(segments.upperBound)
        out.appendVarint(UInt64(decisions.count))
        for decision in decisions {
            out.appendVarint(decision.threshold)
            out.appendLittleEndian(decision.factor.bitPattern)
            out.appendVarint(UInt64(decision.reason.utf8.count))
            out.append(utf8: decision.reason)
        }
        func append(_ id: TraceID) {
            out.appendLittleEndian(id.high)
            out.appendLittleEndian(id.low)
        }
        out.appendVarint(UInt64(kept.count))
        for (id, kept) in kept {
            append(id)
            out.appendVarint(UInt64(kept.decision))
            out.appendLittleEndian(kept.reasonSpanID.rawValue)
            out.append(kept.reasonKind)
        }
        for ids in [dropped, scattered] {
            out.appendVarint(UInt64(ids.count))
            for id in ids { append(id) }
        }
        out.appendVarint(UInt64(skeletons.count))
        for (id, skeleton) in skeletons {
            append(id)
            out.append(reduced.contains(id) ? 1 : 0)
            let spans = reduced.contains(id) ? skeleton.leaving : skeleton.alone
            out.appendVarint(UInt64(spans.count))
            for span in spans { out.appendLittleEndian(span.rawValue) }
            out.appendVarint(UInt64(skeleton.attributes.count))
            for (span, attributes) in skeleton.attributes {
                out.appendLittleEndian(span.rawValue)
                out.appendVarint(UInt64(attributes.count))
                for attribute in attributes {
                    out.appendVarint(UInt64(attribute.key.utf8.count))
                    out.append(utf8: attribute.key)
                    var value = ByteWriter()
                    EncodedValue.append(attribute.value, to: &value)
                    let bytes = value.array()
                    out.appendVarint(UInt64(bytes.count))
                    bytes.withUnsafeBytes { out.append($0) }
                }
            }
        }
    }

    private init(decoding bytes: UnsafeRawBufferPointer, holdsSkeletons: Bool) throws(ByteError) {
        var reader = ByteReader(bytes)
        func traceID() throws(ByteError) -> TraceID {
            let high = try reader.readLittleEndian(UInt64.self)
            return TraceID(high: high, low: try reader.readLittleEndian(UInt64.self))
        }
        let first = try reader.readVarint()
        let last = try reader.readVarint()
        guard first <= last else { throw ByteError(.invalid, at: reader.position) }
        self.init(segments: first...last)
        for _ in 0..<(try reader.readCount(max: bytes.count / 10)) {
            let threshold = try reader.readVarint()
            let factor = Double(bitPattern: try reader.readLittleEndian(UInt64.self))
            let reason = String(decoding: try reader.readLengthPrefixed(), as: UTF8.self)
            guard threshold < SamplingThreshold.end, factor >= 1, factor.isFinite else {
                throw ByteError(.invalid, at: reader.position)
            }
            decisions.append(LateDecision(isKept: true, threshold: threshold, factor: factor, reason: reason))
        }
        for _ in 0..<(try reader.readCount(max: bytes.count / 26)) {
            let id = try traceID()
            let decision = try reader.readVarint()
            guard decision < UInt64(decisions.count) else { throw ByteError(.invalid, at: reader.position) }
            let spanID = SpanID(try reader.readLittleEndian(UInt64.self))
            kept[id] = Kept(decision: Int(decision), reasonSpanID: spanID, reasonKind: try reader.readByte())
        }
        for _ in 0..<(try reader.readCount(max: bytes.count / 16)) { dropped.insert(try traceID()) }
        for _ in 0..<(try reader.readCount(max: bytes.count / 16)) { scattered.insert(try traceID()) }
        if holdsSkeletons {
            for _ in 0..<(try reader.readCount(max: bytes.count / 19)) {
                let id = try traceID()
                guard kept[id] != nil else { throw ByteError(.invalid, at: reader.position) }
                let isReduced = try reader.readByte() != 0
                if isReduced { reduced.insert(id) }
                skeletons[id] = try LateSkeleton(&reader, isReduced: isReduced)
            }
        }
        guard reader.isAtEnd else { throw ByteError(.invalid, at: reader.position) }
    }
}

extension LateSkeleton {
    fileprivate init(_ reader: inout ByteReader, isReduced: Bool) throws(ByteError) {
        self.init()
        var spans: Set<SpanID> = []
        for _ in 0..<(try reader.readCount(max: reader.remaining / 8)) {
            spans.insert(SpanID(try reader.readLittleEndian(UInt64.self)))
        }
        if isReduced { leaving = spans } else { alone = spans }
        for _ in 0..<(try reader.readCount(max: reader.remaining / 9)) {
            let span = SpanID(try reader.readLittleEndian(UInt64.self))
            for _ in 0..<(try reader.readCount(max: reader.remaining / 2)) {
                let key = String(decoding: try reader.readLengthPrefixed(), as: UTF8.self)
                let value = try reader.readLengthPrefixed()
                guard EncodedValue.isCanonical(value) else { throw ByteError(.invalid, at: reader.position) }
                attributes[span, default: []].append(Attribute(key, EncodedValue.decode(value)))
            }
        }
    }
}
