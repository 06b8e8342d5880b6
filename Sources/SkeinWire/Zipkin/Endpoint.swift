// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

extension Zipkin {
    /// One end of a call: refs into the batch.
    struct Endpoint: Equatable {
        /// A string value; 0 for none.
        var serviceName: SpanBatch.Ref = 0
        /// A string value; 0 for none.
        var ipv4: SpanBatch.Ref = 0
        /// A string value; 0 for none.
        var ipv6: SpanBatch.Ref = 0
        /// 0 for none.
        var port: UInt16 = 0

        /// The address: of two the shorter one.
        var address: SpanBatch.Ref { ipv4 != 0 ? ipv4 : ipv6 }
    }

    /// Addresses in bytes as text.
    enum AddressText {
        /// Appends four numbers for four bytes.
        static func append(ipv4 bytes: UnsafeRawBufferPointer, to text: inout ByteWriter) {
            for (index, byte) in bytes.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ".")) }
                if byte >= 100 { text.append(0x30 + byte / 100) }
                if byte >= 10 { text.append(0x30 + byte / 10 % 10) }
                text.append(0x30 + byte % 10)
            }
        }

        /// Appends eight groups for 16 bytes, the longest run of zeros cut out (RFC 5952 §4).
        static func append(ipv6 bytes: UnsafeRawBufferPointer, to text: inout ByteWriter) {
            let groups = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
            var longest = 0..<0
            var start = 0
            while start < groups.count {
                let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
                // A single group of zeros is not worth it.
                if end - start > max(1, longest.count) { longest = start..<end }
                start = end + 1
            }
            func joined(_ range: Range<Int>) -> String {
                range.map { String(groups[$0], radix: 16) }.joined(separator: ":")
            }
            guard !longest.isEmpty else { return text.append(utf8: joined(groups.indices)) }
            text.append(utf8: joined(0..<longest.lowerBound))
            text.append(utf8: "::")
            text.append(utf8: joined(longest.upperBound..<groups.count))
        }
    }
}
