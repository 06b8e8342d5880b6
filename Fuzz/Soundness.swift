// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinWire

/// What holds of everything that a decoder accepts; a trap where it does not.
enum Soundness {
    /// Holds a batch of spans to all of it.
    static func check(_ batch: SpanBatch) {
        checkColumns(batch)
        let protobuf = OTLP.ProtobufEncoder.bytes(of: batch)
        let fromProtobuf = protobuf.withUnsafeBytes { bytes in
            var decoder = OTLP.ProtobufDecoder()
            return try? decoder.decode(bytes, receivedUnixNanos: batch.receivedUnixNanos)
        }
        guard let fromProtobuf else { fatalError("what was written as OTLP cannot be read") }
        precondition(fromProtobuf.accepted == batch.count, "OTLP loses spans: \(fromProtobuf.firstMessage)")
        precondition(OTLP.ProtobufEncoder.bytes(of: fromProtobuf.batch) == protobuf, "OTLP changes spans")

        let json = json(batch)
        let fromJSON = json.withUnsafeBytes { text in
            var decoder = OTLP.JSONDecoder()
            return try? decoder.decode(text, receivedUnixNanos: batch.receivedUnixNanos)
        }
        guard let fromJSON else { fatalError("what was written as OTLP JSON cannot be read") }
        precondition(fromJSON.accepted == batch.count, "OTLP JSON loses spans: \(fromJSON.firstMessage)")
        // Of not-a-numbers JSON knows one only, Protocol Buffers many.
        precondition(Self.json(fromJSON.batch) == json, "OTLP JSON changes spans")
    }

    /// Holds columns to this: they are as long as they should be, every ref leads somewhere, and the log gives them back.
    static func checkColumns(_ batch: SpanBatch) {
        let packed = pack(batch)
        do throws(PackedBatch.Failure) {
            let read = try packed.withUnsafeBufferPointer { bytes throws(PackedBatch.Failure) in
                try PackedBatch.read(UnsafeRawBufferPointer(bytes))
            }
            precondition(pack(read) == packed, "the log changes spans")
        } catch {
            fatalError("the log does not give the batch back: \(error)")
        }
    }

    /// An error points into what was read.
    static func check(_ error: WireError, in bytes: UnsafeRawBufferPointer) {
        precondition((0...bytes.count).contains(error.offset), "\(error) points behind \(bytes.count) bytes")
        precondition(!error.message.isEmpty)
    }

    private static func pack(_ batch: SpanBatch) -> [UInt8] {
        var out = ByteWriter()
        PackedBatch.append(batch, to: &out)
        return out.array()
    }

    private static func json(_ batch: SpanBatch) -> [UInt8] {
        var json = JSONWriter()
        OTLP.JSONEncoder(batch).write(to: &json)
        return Array(json.bytes)
    }
}
