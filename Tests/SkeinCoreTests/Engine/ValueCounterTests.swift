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

    static func counted(_ values: [AttributeValue], limit: Int, prefix: String = "") -> ValueList {
        let question = ValueQuestion(.attribute(.span, "key"), prefix: prefix)
        var counter = ValueCounter(question, ByteCounts(distinctMax: 1_000, byteCountMax: 1 << 20))
        let batch = batch(values)
        counter.add(batch, 0..<batch.count)
        return counter.mostFrequent(limit)
    }

    @Test func `ties of any type are ordered by their texts, equal texts by type`() {
        let found = Self.counted(["b", 10, 9, ["x"], "a", 2.5, true, "true", "b", "9"], limit: 100).values
        #expect(found.map(\.value) == ["b", 10, 2.5, "9", 9, ["x"], "a", "true", true])
        #expect(found.map(\.count) == [2, 1, 1, 1, 1, 1, 1, 1, 1])
    }

    @Test func `a prefix is one of the text of any type`() {
        #expect(Self.counted(["1", 10, 1.5, 2, true], limit: 9, prefix: "1").values.map(\.value) == ["1", 1.5, 10])
    }

    @Test func `a value that nobody would choose from a list is passed over`() {
        let long = AttributeValue.string(String(repeating: "x", count: 5_000))
        #expect(Self.counted([long, long, "short"], limit: 10).values == [ValueCount(value: "short", count: 1)])
    }

    @Test(arguments: [(100, 1 << 20), (1 << 20, 1 << 15)])
    func `what is counted often is kept in bounded memory, and the error is known`(distinctMax: Int, byteCountMax: Int)
    {
        var counts = ByteCounts(distinctMax: distinctMax, byteCountMax: byteCountMax)
        func add(_ text: String) {
            var text = text
            text.withUTF8 { counts.add(UnsafeRawBufferPointer($0), 1) }
        }
        // Ten texts come a hundred times each, between twenty thousand that come once.
        for round in 0..<100 {
            for number in 0..<10 { add("often \(number)") }
            for number in 0..<200 { add("once \(round * 200 + number)") }
        }
        #expect(counts.counts.count <= distinctMax && counts.byteCount <= 10 * byteCountMax)
        let best = counts.mostFrequent(10) { $0 < $1 }.map { index in
            (text: counts.withBytes(index) { String(decoding: $0, as: UTF8.self) }, count: counts.counts[index])
        }
        #expect(Set(best.map(\.text)) == Set((0..<10).map { "often \($0)" }))
        #expect(counts.errorMax > 0)
        for value in best { #expect(value.count <= 100 && value.count + counts.errorMax >= 100) }
    }
}
