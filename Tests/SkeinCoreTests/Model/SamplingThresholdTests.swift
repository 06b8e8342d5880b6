// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct SamplingThresholdTests {
    @Test(
        arguments: [
            ("", 1), ("ot=th:0", 1), ("ot=th:8", 2), ("ot=th:c", 4), ("ot=th:c;rv:12345678901234", 4),
            ("ot=rv:12345678901234;th:e", 8), ("vendor=a, ot=th:8", 2), ("vendor=a,\tot=th:8 ,b=2", 2),
            ("ot=th:fd70a3d70a3d71", 100.000_000_000_000_7), ("ot=th:ffffffffffffff", 0x1p56),
            ("ot=th:", 1), ("ot=th:fffffffffffffff", 1), ("ot=th:G", 1), ("ot=th:C", 1), ("not=th:8", 1), ("ot", 1),
            ("ot=th", 1), ("ot=rv:8", 1), ("a=ot=th:8", 1), ("ot=x:1,ot=th:8", 1), (",,;;==", 1),
        ] as [(String, Double)]
    )
    func `a threshold says how many spans one stands for`(text: String, weight: Double) {
        var text = text
        let found = text.withUTF8 { SamplingThreshold.weight(ofTraceState: UnsafeRawBufferPointer($0)) }
        #expect(abs(found - weight) <= weight * 1e-12, "\(text)")
    }

    @Test(
        arguments: [
            (1, 0), (2, 0), (0.5, 0x80_0000_0000_0000), (0.25, 0xc0_0000_0000_0000), (0.1, 0xe6_6666_6666_6666),
            (0, 1 << 56), (-1, 1 << 56), (.nan, 1 << 56), (1e-30, (1 << 56) - 1), (1 - 1e-17, 0),
        ] as [(Double, UInt64)]
    )
    func `a probability is a threshold`(probability: Double, threshold: UInt64) {
        #expect(SamplingThreshold.threshold(ofProbability: probability) == threshold)
    }

    @Test func `a threshold and its weight say the same probability`() {
        for probability in [1, 0.9, 0.5, 0.3, 0.1, 0.01, 1e-6] {
            let weight = SamplingThreshold.weight(ofThreshold: SamplingThreshold.threshold(ofProbability: probability))
            #expect(abs(weight * probability - 1) < 1e-9)
        }
        #expect(SamplingThreshold.weight(ofThreshold: 1 << 56) == 0x1p56)
    }

    @Test(
        arguments: [
            ("", 0xcd_ef01_2345_6789), ("ot=th:8", 0xcd_ef01_2345_6789), ("ot=rv:00000000000001", 1),
            ("a=b, ot=th:8;rv:ffffffffffffff", (1 << 56) - 1), ("ot=rv:0000000000001", 0xcd_ef01_2345_6789),
            ("ot=rv:0000000000000G", 0xcd_ef01_2345_6789),
        ] as [(String, UInt64)]
    )
    func `randomness comes from rv, otherwise from the id`(text: String, randomness: UInt64) {
        var text = text
        let id = TraceID(high: 1, low: 0xabcd_ef01_2345_6789)
        let found = text.withUTF8 {
            SamplingThreshold.randomness(ofTraceState: UnsafeRawBufferPointer($0), traceID: id)
        }
        #expect(found == randomness)
    }

    @Test(
        arguments: [
            ("", "ot=th:8"), ("ot=th:4", "ot=th:8"), ("ot=th:8", "ot=th:8"), ("ot=th:c", "ot=th:c"),
            ("a=b,ot=th:4;rv:12345678901234 , c=d", "ot=th:8;rv:12345678901234,a=b,c=d"),
            ("a=b", "ot=th:8,a=b"), ("ot=x:1;th:Z;rv:1", "ot=th:8;rv:1;x:1"), (" , ,", "ot=th:8"), ("ot=", "ot=th:8"),
        ]
    )
    func `a threshold in a tracestate is raised and nothing else changes`(text: String, raised: String) {
        #expect(rewriting(text, 1 << 55) == raised)
    }

    @Test func `a threshold of nothing changes nothing`() {
        #expect(rewriting("a=b", 0) == "a=b")
        #expect(rewriting("a=b", 0xe6_6666_6666_6666) == "ot=th:e6666666666666,a=b")
        #expect(rewriting("", 1) == "ot=th:00000000000001")
    }

    @Test func `what is too long for a tracestate is left out from the end`() {
        let long = String(repeating: "x", count: 240)
        #expect(rewriting("ot=y:\(long);rv:12345678901234", 1 << 55) == "ot=th:8;rv:12345678901234")
        let members = (1...32).map { "k\($0)=v" }
        #expect(
            rewriting(members.joined(separator: ","), 1 << 55) == "ot=th:8," + members.dropLast().joined(separator: ",")
        )
    }

    private func rewriting(_ text: String, _ threshold: UInt64) -> String {
        var text = text
        let bytes = text.withUTF8 {
            SamplingThreshold.rewriting(traceState: UnsafeRawBufferPointer($0), threshold: threshold)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
