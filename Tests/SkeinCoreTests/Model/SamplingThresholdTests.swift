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
}
