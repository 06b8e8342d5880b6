// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinCompression
import Testing

@Suite struct UnpackingStreamTests {
    static func unpack(_ bytes: [UInt8], step: Int = 4096) throws(CompressionError) -> [UInt8] {
        var stream = UnpackingStream()
        var plain = ByteWriter()
        var rest = bytes[...]
        repeat {
            let part = Array(rest.prefix(step))
            rest = rest.dropFirst(part.count)
            part.withUnsafeBytes { stream.append($0) }
            if rest.isEmpty { stream.finish() }
            while try stream.unpack(into: &plain) {}
        } while !rest.isEmpty
        return plain.array()
    }

    /// Text that packs well, then noise that does not, then a run.
    static func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        var bytes: [UInt8] = []
        while bytes.count < count / 2 {
            bytes += Array("span \(random.next() % 1000) of trace \(random.next() % 50)\n".utf8)
        }
        while bytes.count < count * 3 / 4 { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
        return bytes + [UInt8](repeating: 7, count: count / 4)
    }

    static func pack(_ bytes: [UInt8], _ coding: ContentCoding) -> [UInt8] {
        bytes.withUnsafeBytes { coding.encode($0) }
    }

    @Test(arguments: [ContentCoding.gzip, .zstd, .identity], [0, 1, 5, 300, 70_000, 900_000])
    func `what was packed comes out again`(coding: ContentCoding, count: Int) throws {
        let plain = Self.sample(count)
        let packed = Self.pack(plain, coding)
        for step in [7, 1000, 1 << 20] where packed.count / step < 50_000 {
            #expect(try Self.unpack(packed, step: step) == plain)
        }
    }

    @Test(arguments: [ContentCoding.gzip, .zstd])
    func `several packed one after the other are joined`(coding: ContentCoding) throws {
        let parts = [Self.sample(1000), Self.sample(50_000, seed: 2), []]
        let packed = parts.flatMap { Self.pack($0, coding) }
        for step in [1, 1000, 1 << 20] { #expect(try Self.unpack(packed, step: step) == parts.flatMap { $0 }) }
    }

    @Test func `zeros behind gzip are nothing`() throws {
        let packed = Self.pack([1, 2, 3], .gzip) + [0, 0, 0]
        #expect(try Self.unpack(packed) == [1, 2, 3])
        #expect(throws: CompressionError.self) { try Self.unpack(packed + [9]) }
    }

    /// Written with `zlib` of Python 3: a stored block, fixed codes, a header with all it can have.
    @Test(arguments: [
        "1f8b08000000000000ff010d00f2ff6162636162636162636162636453d033b90d000000",
        "1f8b08000000000000ff4b4c4a4e84a1140053d033b90d000000",
        "1f8b081c0000000000ff030078797a6e616d6500636f6d6d656e74004b4c4a4e84a1140053d033b90d000000",
    ])
    func `each kind of block is read`(hex: String) throws {
        for step in [1, 5, 100] { #expect(try Self.unpack(Bytes.hex(hex), step: step) == Array("abcabcabcabcd".utf8)) }
    }

    @Test(arguments: [ContentCoding.gzip, .zstd])
    func `what is cut off is an error wherever it is cut`(coding: ContentCoding) {
        let packed = Self.pack(Self.sample(3000), coding)
        for count in stride(from: 4, to: packed.count, by: 37) {
            #expect(throws: CompressionError.self, "\(count)") { try Self.unpack(Array(packed.prefix(count))) }
        }
    }

    /// Bytes from outside never stop the process, whatever they are.
    @Test(arguments: 0..<4)
    func `no mutation does harm`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let seeds = [Self.pack(Self.sample(5000), .gzip), Self.pack(Self.sample(5000), .zstd), Self.pack([], .gzip)]
        for _ in 0..<500 {
            var bytes = seeds[Int(random.next() % 3)]
            for _ in 0...random.next() % 4 {
                bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8)
            }
            _ = try? Self.unpack(bytes, step: 1 + Int(random.next() % 3000))
        }
    }
}
