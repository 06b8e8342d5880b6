// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct PooledDiskTests {
    /// A pool of four descriptors over twenty files, each of which holds its number.
    static func pool() throws -> (SimulatedDisk, PooledDisk, [any DiskFile]) {
        let disk = SimulatedDisk(seed: 1)
        for number in 0..<20 as Range<UInt8> { disk["/\(number)"] = [number] }
        let pool = PooledDisk(disk, openCountMax: 4)
        return (disk, pool, try (0..<20).map { try pool.open("/\($0)", .read) })
    }

    @Test func `any number of files share a few descriptors`() throws {
        let (disk, _, files) = try Self.pool()
        #expect(disk.openCount == 4)
        for (number, file) in files.enumerated() + files.enumerated().reversed() {
            #expect(try file.bytes(at: 0, count: 9) == [UInt8(number)])
            #expect(try file.size() == 1)
            #expect(disk.openCount <= 4)
        }
    }

    @Test func `a file that was removed or renamed can be read until it is let go`() throws {
        var (disk, pool, files) = try Self.pool()
        try pool.remove("/0")
        try pool.rename("/2", to: "/1")
        for number in 0..<20 { #expect(try files[number].bytes(at: 0, count: 9) == [UInt8(number)]) }
        #expect(disk.openCount <= 4 + 3)
        #expect(try pool.open("/1", .read).bytes(at: 0, count: 9) == [2])
        #expect(throws: DiskError.self) { try pool.open("/0", .read) }
        files = []
        #expect(disk.openCount == 0)
    }

    @Test func `what is let go is closed`() throws {
        var (disk, _, files) = try Self.pool()
        files.removeLast(19)
        #expect(disk.openCount == 0)
        #expect(try files[0].bytes(at: 0, count: 9) == [0])
        #expect(disk.openCount == 1)
    }
}
