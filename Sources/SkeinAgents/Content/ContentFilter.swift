// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel

/// Takes content out of the spans and log records of agents of all dialects, or keeps it and cuts what is too long of it:
/// ``ContentKey/table`` says what content is.
///
/// A span of which something went says `worktrace.content.dropped`, one of which something was cut
/// `worktrace.content.truncated`. In place of what tools were given and gave back stay a hash and a length, by which equal calls
/// are still found. Everything else that is read of a span stays as it was.
package struct ContentFilter: Sendable {
    private let isKept: Bool
    private let cut: ContentCut
    private let keys = ContentKeys()

    /// A filter that drops all content, or cuts each piece that is longer than `byteCountMax` bytes.
    package init(isKept: Bool, byteCountMax: Int) {
        self.isKept = isKept
        cut = ContentCut(byteCountMax: byteCountMax)
    }

    /// What rows are.
    package enum Rows: Sendable {
        case spans
        /// Log records that pose as spans, see `LogBatch`.
        case logRecords
    }

    /// A batch that was looked through.
    package struct Filtered: Sendable {
        package var batch: SpanBatch
        /// Values that were dropped or cut.
        package var changedCount = 0
    }

    /// The batch without what is not to be kept; the same one when there is nothing to do.
    package func filtered(_ batch: SpanBatch, of rows: Rows = .spans) -> Filtered {
        guard let found = ContentFinder(batch, keys, rows), !isKept || hasLongValue(batch) else {
            return Filtered(batch: batch)
        }
        var changes = Changes(batch)
        var reader = SpanReader(batch)
        for row in 0..<batch.count where found.mayHold(row) {
            look(at: row, in: batch, found, &reader, &changes)
        }
        guard changes.count > 0 else { return Filtered(batch: batch) }
        var rewriter = SpanBatchRewriter(batch)
        rewriter.changeSpans(changes.attributes, adding: changes.marks)
        rewriter.changeEvents(changes.eventAttributes)
        return Filtered(batch: rewriter.finish(), changedCount: changes.count)
    }

    /// What is done to a batch, by the places of attributes and by rows.
    private struct Changes {
        var attributes: [Int: SpanBatchRewriter.Change] = [:]
        var eventAttributes: [Int: SpanBatchRewriter.Change] = [:]
        var marks: [Int: [Attribute]] = [:]
        /// The refs of ``ContentFilter/markKeys`` in the batch.
        let markRefs: [SpanBatch.Ref]

        init(_ batch: SpanBatch) { markRefs = batch.dictionary.refs(of: ContentFilter.markKeys.map { Array($0.utf8) }) }

        var count: Int { attributes.count + eventAttributes.count }
    }

    private func hasLongValue(_ batch: SpanBatch) -> Bool {
        (0..<UInt32(batch.dictionary.count)).contains { isLong($0, in: batch) }
    }

    private func isLong(_ value: SpanBatch.Ref, in batch: SpanBatch) -> Bool {
        let offsets = batch.dictionary.offsets
        return Int(offsets[Int(value) + 1] &- offsets[Int(value)]) > cut.byteCountMax
    }

    private func look(
        at row: Int,
        in batch: SpanBatch,
        _ found: ContentFinder,
        _ reader: inout SpanReader,
        _ changes: inout Changes
    ) {
        let span = reader.read(row)
        let holder = Holder(span, own: reader.own, isClaimed: reader.isClaimed(span))
        let before = changes.count
        for pair in batch.attributes.range(of: row) {
            let content = found.rows(ofKey: batch.attributes.keyRefs[pair]).first(where: holder.holds)
            guard let content else { continue }
            let value = batch.attributes.valueRefs[pair]
            if isNameOfHandoff(content, value, span, batch) { continue }
            changes.attributes[pair] = change(value, content.form, batch)
        }
        for event in batch.events.range(of: row) {
            let plainKeys = found.plainKeys(ofEvent: event, row, holder)
            for pair in batch.events.attributes.range(of: event) {
                let key = batch.events.attributes.keyRefs[pair]
                let content = found.rows(ofEventKey: key).first(where: holder.holds)
                let isRest = plainKeys.map { !$0.contains(batch.dictionary.string(key)) } ?? false
                guard content != nil || isRest else { continue }
                let value = batch.events.attributes.valueRefs[pair]
                changes.eventAttributes[pair] = change(value, content?.form ?? .value, batch)
            }
        }
        guard changes.count > before else { return }
        changes.marks[row] = marks(of: span, row, batch, changes.markRefs)
    }

    /// What becomes of a piece of content; `nil` when nothing does.
    private func change(
        _ ref: SpanBatch.Ref,
        _ form: ContentKey.Form,
        _ batch: SpanBatch
    ) -> SpanBatchRewriter.Change? {
        if isKept {
            guard isLong(ref, in: batch) else { return nil }
            return cut.cut(batch.dictionary.value(ref)).map { .replace(Self.encoded($0)) }
        }
        // Whatever is this long is none of the values that say nothing.
        if form != .members, batch.dictionary.withBytes(ref, { $0.count > 16 }) { return .drop }
        let value = batch.dictionary.value(ref)
        switch value {
        case .null, .string(""), .string("<REDACTED>"): return nil
        default: break
        }
        guard form == .members else { return .drop }
        let structure = if case .string(let text) = value { JSONValue.structure(text) ?? value } else { value }
        // What cannot be told apart may be anything.
        guard case .map(let pairs) = structure else { return .drop }
        let plain = pairs.filter { pair in
            guard ContentKey.members.contains(pair.key) else { return true }
            return [.null, .string(""), .array([]), .map([])].contains(pair.value)
        }
        guard plain.count < pairs.count else { return nil }
        if case .map = value { return .replace(Self.encoded(.map(plain))) }
        return .replace(Self.encoded(.string(TurnReader.words(.map(plain)))))
    }

    /// What spans of OpenInference are given that hand control over is the name of an agent.
    private func isNameOfHandoff(
        _ key: ContentKey,
        _ value: SpanBatch.Ref,
        _ span: AgentSpan,
        _ batch: SpanBatch
    ) -> Bool {
        guard span.kind == .handoff, key.key == "input.value" || key.key == "output.value",
            let text = batch.dictionary.value(value).scalarText, text.utf8.count <= Self.nameByteCountMax,
            JSONValue.structure(text) == nil
        else { return false }
        return text == span.handoff?.from || text == span.handoff?.to
    }

    /// Names are no longer.
    private static let nameByteCountMax = 128

    private static let markKeys = [
        "worktrace.content.dropped", "worktrace.content.truncated", "worktrace.content.arguments.hash",
        "worktrace.content.result.bytes",
    ]

    /// What is written on a row of which something went, unless it is there.
    private func marks(of span: AgentSpan, _ row: Int, _ batch: SpanBatch, _ refs: [SpanBatch.Ref]) -> [Attribute] {
        let values: [AttributeValue?] = [
            isKept ? nil : true, isKept ? true : nil, span.tool?.argumentsHash.map { .string(Hex.string($0)) },
            span.tool?.resultBytes.map { .int(Int64(clamping: $0)) },
        ]
        let keys = batch.attributes.keyRefs[batch.attributes.range(of: row)]
        return zip(zip(Self.markKeys, refs), values).compactMap { mark, value in
            guard let value, mark.1 == 0 || !keys.contains(mark.1) else { return nil }
            return Attribute(mark.0, value)
        }
    }

    private static func encoded(_ value: AttributeValue) -> [UInt8] {
        var out = ByteWriter()
        EncodedValue.append(value, to: &out)
        return out.array()
    }

    /// Whose a row is.
    struct Holder {
        let own: DialectSet
        let isClaimed: Bool

        init(_ span: AgentSpan, own: DialectSet, isClaimed: Bool) {
            self.own = own
            self.isClaimed = isClaimed
        }

        func holds(_ key: ContentKey) -> Bool {
            switch key.holder {
            case .any: true
            case .agents: isClaimed
            case .own: isClaimed && own.contains(key.dialect)
            }
        }
    }
}
