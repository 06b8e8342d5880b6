// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinCompression
import Testing

@Suite struct ContentCodingTests {
    /// Text that packs about as well as a trace does.
    static func text(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { $0 % 3 == 0 ? UInt8.random(in: 97...122, using: &random) : 45 }
    }

    static func decode(_ coding: ContentCoding, _ bytes: [UInt8], limit: Int = 1 << 24) throws(CompressionError)
        -> [UInt8]
    {
        try bytes.withUnsafeBufferPointer { body throws(CompressionError) in
            try coding.decode(UnsafeRawBufferPointer(body), limit: limit)
        }
    }

    @Test(arguments: ContentCoding.allCases, [0, 1, 100, 70_000, 3_000_000])
    func `what was packed unpacks to the same bytes`(coding: ContentCoding, count: Int) throws {
        let plain = Self.text(count)
        let packed = plain.withUnsafeBytes { coding.encode($0) }
        #expect(try Self.decode(coding, packed) == plain)
        #expect(try Self.decode(coding, packed, limit: count) == plain)
        guard count > 0 else { return }
        #expect {
            try Self.decode(coding, packed, limit: count - 1)
        } throws: {
            ($0 as? CompressionError)?.code == .tooLarge(limit: count - 1)
        }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .zstd])
    func `a truncated body is corrupt at every length`(coding: ContentCoding) throws {
        let packed = Self.text(300).withUnsafeBytes { coding.encode($0) }
        for count in 0..<packed.count {
            #expect {
                try Self.decode(coding, Array(packed[..<count]))
            } throws: {
                ($0 as? CompressionError)?.code == .corrupt
            }
        }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .zstd])
    func `flipped bits never trap and never pass the limit`(coding: ContentCoding) throws {
        let packed = Self.text(300).withUnsafeBytes { coding.encode($0) }
        for bit in 0..<(packed.count * 8) {
            var broken = packed
            broken[bit / 8] ^= 1 << UInt8(bit % 8)
            if let output = try? Self.decode(coding, broken, limit: 1000) { #expect(output.count <= 1000) }
        }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .zstd])
    func `a bomb stops at the limit`(coding: ContentCoding) throws {
        let packed = [UInt8](repeating: 0, count: 64 << 20).withUnsafeBytes { coding.encode($0) }
        #expect(packed.count < 100_000)
        #expect {
            try Self.decode(coding, packed, limit: 1 << 20)
        } throws: {
            ($0 as? CompressionError)?.code == .tooLarge(limit: 1 << 20)
        }
    }

    @Test func `joined gzip members and zstd frames are one body`() throws {
        for coding in [ContentCoding.gzip, .zstd] {
            let parts = [Self.text(10), Self.text(50_000), [], Self.text(7)]
            let packed = parts.flatMap { $0.withUnsafeBytes { coding.encode($0) } }
            #expect(try Self.decode(coding, packed) == parts.flatMap { $0 })
            #expect(throws: CompressionError.self) { try Self.decode(coding, packed + [1, 2, 3]) }
        }
    }

    @Test func `deflate is read with and without the zlib header`() throws {
        let plain = Self.text(5000)
        let zlib = plain.withUnsafeBytes { ContentCoding.deflate.encode($0) }
        #expect(try Self.decode(.deflate, zlib) == plain)
        #expect(try Self.decode(.deflate, Array(zlib.dropFirst(2).dropLast(4))) == plain)
    }

    @Test func `a lying gzip trailer changes nothing but the error`() throws {
        var packed = Self.text(1000).withUnsafeBytes { ContentCoding.gzip.encode($0) }
        packed.replaceSubrange((packed.count - 4)..., with: [255, 255, 255, 255])
        #expect {
            try Self.decode(.gzip, packed)
        } throws: {
            ($0 as? CompressionError)?.code == .corrupt
        }
    }

    @Test func `headers name codings in any case`() {
        #expect(ContentCoding(header: "GZIP") == .gzip && ContentCoding(header: "x-gzip") == .gzip)
        #expect(ContentCoding(header: "zstd") == .zstd && ContentCoding(header: "Deflate") == .deflate)
        #expect(ContentCoding(header: "identity") == .identity && ContentCoding(header: "br") == nil)
    }

    @Test func `known sizes are held to`() throws {
        let plain = Self.text(4000)
        plain.withUnsafeBytes { plainBytes in
            let packed = ZstdCompressor(level: 1).compress(plainBytes)
            packed.withUnsafeBytes { bytes in
                let decompressor = ZstdDecompressor()
                #expect((try? decompressor.decompress(bytes, count: 4000)) == plain)
                #expect(throws: CompressionError.self) { try decompressor.decompress(bytes, count: 3999) }
                #expect(throws: CompressionError.self) { try decompressor.decompress(bytes, count: 4001) }
            }
        }
    }
}

@Suite struct ChecksumTests {
    @Test func `the checksum is XXH64`() {
        // Values of the reference implementation (xxhsum -H1, seed 0).
        #expect(Checksum.of([UInt8]()) == 0xef46_db37_51d8_e999)
        #expect(Checksum.of(Array("a".utf8)) == 0xd24e_c4f1_a98c_6e5b)
        #expect(Checksum.of(Array("abc".utf8)) == 0x44bc_2cf5_ad77_0999)
        let long = "Call me Ishmael. Some years ago--never mind how long precisely-"
        #expect(Checksum.of(Array(long.utf8)) == 0x02a2_e854_70d6_fd96)
    }
}
