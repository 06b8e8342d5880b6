// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// Spans as messages of `jaeger.api_v2` (jaeger-idl, model.proto).
extension JaegerTrace {
    /// The encoded `Process` of each process, by number: `{ 1 service_name, 2 tags* }`.
    func encodedProcesses() -> [[UInt8]] {
        processRows.indices.map { process in
            var out = ByteWriter(capacity: 256)
            let service = batch.resources.serviceNameRefs[processRows[process]]
            if service == 0 {
                out.appendField(1, text: JaegerAPI.namelessService)
            } else {
                append(1, text: service, to: &out)
            }
            for tag in tags(ofProcess: process) { append(tag, as: 2, to: &out) }
            return out.array()
        }
    }

    /// Span `row` as a `Span` that is field `number` of a message: `{ 1 trace_id, 2 span_id, 3 operation_name, 4 references*,
    /// 5 flags, 6 start_time, 7 duration, 8 tags*, 9 logs*, 10 process, 12 warnings* }`.
    func encodedSpan(_ row: Int, as number: UInt64, processes encoded: [[UInt8]]) -> [UInt8] {
        var out = ByteWriter(capacity: 1024)
        out.appendMessage(number) { out in
            append(1, batch.traceIDs[row], to: &out)
            append(2, ids.spans[row], to: &out)
            append(3, text: batch.nameRefs[row], to: &out)
            forEachReference(of: row) { reference in
                out.appendMessage(4) { out in
                    append(1, reference.traceID, to: &out)
                    append(2, reference.spanID, to: &out)
                    out.appendField(3, varint: reference.isChildOf ? 0 : 1)
                }
            }
            out.appendField(5, varint: UInt64(flags(of: row)))
            out.appendMessage(6) { $0.appendTime(nanos: batch.startUnixNanos[row]) }
            out.appendMessage(7) { $0.appendTime(nanos: batch.durationNanos[row]) }
            for tag in tags(of: row) { append(tag, as: 8, to: &out) }
            for event in logs(of: row) {
                out.appendMessage(9) { out in
                    out.appendMessage(1) { $0.appendTime(nanos: batch.events.timeUnixNanos[event]) }
                    for field in fields(ofLog: event) { append(field, as: 2, to: &out) }
                }
            }
            encoded[processes[Int(batch.resourceRows[row])]].withUnsafeBytes { process in
                out.appendMessage(10) { $0.append(process) }
            }
            for warning in ids.warnings(row, batch) { out.appendField(12, text: warning) }
        }
        return out.array()
    }

    /// Raw values of `ValueType`, which are not Thrift's.
    private enum ValueType {
        static let bool: UInt64 = 1
        static let int64: UInt64 = 2
        static let float64: UInt64 = 3
        static let binary: UInt64 = 4
    }

    /// A `KeyValue`: `{ 1 key, 2 v_type, 3 v_str, 4 v_bool, 5 v_int64, 6 v_float64, 7 v_binary }`.
    private func append(_ tag: JaegerTagNames.Tag, as number: UInt64, to out: inout ByteWriter) {
        out.appendMessage(number) { out in
            switch tag.key {
            case .stored(let ref): append(1, text: ref, to: &out)
            case .derived(let name): out.appendField(1, word: name.name)
            }
            switch tag.value {
            case .text(let ref): append(3, text: ref, to: &out)
            case .word(let word): out.appendField(3, word: word)
            case .yes:
                out.appendField(2, varint: ValueType.bool)
                out.appendField(4, varint: 1)
            case .stored(let ref): batch.dictionary.withBytes(ref) { Self.append(value: $0, to: &out) }
            }
        }
    }

    private static func append(value encoded: UnsafeRawBufferPointer, to out: inout ByteWriter) {
        if let text = EncodedValue.text(encoded) { return out.appendField(3, bytes: text) }
        let value = EncodedValue.decode(encoded)
        switch value {
        case .null: break
        case .string(let text): out.appendField(3, text: text)
        case .bool(let bool):
            out.appendField(2, varint: ValueType.bool)
            out.appendField(4, varint: bool ? 1 : 0)
        case .int(let int):
            out.appendField(2, varint: ValueType.int64)
            out.appendField(5, varint: UInt64(bitPattern: int))
        case .double(let double):
            out.appendField(2, varint: ValueType.float64)
            out.appendField(6, fixed64: double.bitPattern)
        case .bytes(let bytes):
            out.appendField(2, varint: ValueType.binary)
            bytes.withUnsafeBytes { out.appendField(7, bytes: $0) }
        case .array, .map:
            var text = JSONWriter()
            text.plain(value)
            out.appendField(3, bytes: text.bytes)
        }
    }

    private func append(_ number: UInt64, text ref: SpanBatch.Ref, to out: inout ByteWriter) {
        batch.dictionary.withBytes(ref) { out.appendField(number, bytes: $0) }
    }

    private func append(_ number: UInt64, _ id: TraceID, to out: inout ByteWriter) {
        withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { out.appendField(number, bytes: $0) }
    }

    private func append(_ number: UInt64, _ id: SpanID, to out: inout ByteWriter) {
        withUnsafeBytes(of: id.rawValue.bigEndian) { out.appendField(number, bytes: $0) }
    }
}

extension ByteWriter {
    /// The fields of a `google.protobuf.Timestamp` or `Duration`: `{ 1 seconds, 2 nanos }`.
    fileprivate mutating func appendTime(nanos: UInt64) {
        appendField(1, varint: nanos / 1_000_000_000)
        appendField(2, varint: nanos % 1_000_000_000)
    }

    /// A `string` field that the program knows.
    fileprivate mutating func appendField(_ number: UInt64, word: StaticString) {
        appendField(number, bytes: UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
}
