// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Testing

@Suite struct UTF8TextTests {
    @Test func `agrees with the standard library on random bytes`() {
        var random = SeededRandom(seed: 11)
        let pieces: [[UInt8]] = [
            [0x61], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0xa7, 0xb6], [0xed, 0x9f, 0xbf], [0xee, 0x80, 0x80],
            [0xf4, 0x8f, 0xbf, 0xbf], Array("0123456789abcdef".utf8),
        ]
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...5, using: &random)).flatMap { _ in pieces.randomElement(using: &random)!
            }
            if Bool.random(using: &random), !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let expected = String(validating: bytes, as: UTF8.self) != nil
            #expect(bytes.withUnsafeBytes { UTF8Text.isValid($0) } == expected, "\(bytes)")
        }
    }

    @Test(arguments: [(0, ""), (1, "a"), (2, "a"), (3, "aü"), (6, "aü"), (7, "aü😀"), (8, "aü😀"), (-3, "")])
    func `a text is cut between two scalars`(byteCountMax: Int, beginning: String) {
        #expect(UTF8Text.prefix("aü😀", byteCountMax: byteCountMax) == beginning)
    }
}
