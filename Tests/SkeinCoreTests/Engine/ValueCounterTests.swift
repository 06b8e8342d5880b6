// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Testing

@testable import SkeinEngine

@Suite struct ValueCounterTests {
    /// A batch of one span for each value.
    static func batch(_ values: [AttributeValue]) -> SpanBatch {
        SpanBatch(
            spans: values.enumerated().map { id, value in
                var span = EngineSupport.span(1, UInt64(id) + 1)
                span.attributes = [Attribute("key", value)]
                return span
            }
        )
    }

    static func counted(_ values: [AttributeValue], limit: Int) -> [ValueCount] {
        var counter = ValueCounter(field: .attribute(.span, "key"), prefix: "", distinctMax: 1_000)
        counter.add(batch(values))
        return counter.mostFrequent(limit)
    }

    @Test func `ties of any type are ordered by their texts`() {
        let found = Self.counted(["b", 10, 9, ["x"], "a", 2.5, true, "b"], limit: 100)
        #expect(found.map(\.value) == ["b", 10, 2.5, 9, ["x"], "a", true])
        #expect(found.map(\.count) == [2, 1, 1, 1, 1, 1, 1])
    }

    @Test func `a value that nobody would choose from a list is passed over`() {
        let long = AttributeValue.string(String(repeating: "x", count: 5_000))
        #expect(Self.counted([long, long, "short"], limit: 10) == [ValueCount(value: "short", count: 1)])
    }

    @Test func `the bytes of all values together are bounded`() {
        var counts = ByteCounts(distinctMax: 1_000, byteCountMax: 100)
        for _ in 0..<2 {
            for number in 100..<200 {
                var text = "\(number)"
                text.withUTF8 { counts.add(UnsafeRawBufferPointer($0), 1) { _ in true } }
            }
        }
        #expect(counts.counts == [Int](repeating: 2, count: 33))
    }
}
