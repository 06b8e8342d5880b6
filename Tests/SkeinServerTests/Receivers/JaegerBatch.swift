// SPDX-License-Identifier: Apache-2.0

/// A batch of service `s` with one span: trace id 7, span id 1, name `op`, one microsecond.
enum JaegerBatch {
    /// In Thrift's binary encoding, without a message around it.
    static let binary: [UInt8] = {
        func text(_ text: String) -> [UInt8] { bigEndian(Int32(text.utf8.count)) + Array(text.utf8) }
        func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
        func i64(_ id: Int16, _ value: Int64) -> [UInt8] { [10] + bigEndian(id) + bigEndian(value) }
        let process: [UInt8] = [12, 0, 1, 11, 0, 1] + text("s") + [0]
        let ids = i64(1, 7) + i64(2, 0) + i64(3, 1) + i64(4, 0)
        let span = ids + [11, 0, 5] + text("op") + i64(8, 1_700_000_000_000_000) + i64(9, 1) + [0]
        return process + [15, 0, 2, 12] + bigEndian(Int32(1)) + span + [0]
    }()

    /// As a `PostSpansRequest`.
    static let protobuf: [UInt8] = {
        func field(_ number: UInt8, _ body: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(body.count)] + body }
        let id: [UInt8] = [0, 0, 0, 0, 0, 0, 0]
        let span = field(1, id + [0] + id + [7]) + field(2, id + [1]) + field(3, Array("op".utf8))
        return field(1, field(1, span) + field(2, field(1, [UInt8(ascii: "s")])))
    }()
}
