// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit

@testable import SkeinEngine

/// Data folders for the suites that look at them from outside.
enum MaintenanceSupport {
    typealias S = EngineSupport

    /// The folder of ``EngineSupport`` on a disk.
    static func folder(_ disk: SimulatedDisk) -> DataFolder { DataFolder(S.directory, disk: disk) }

    /// A disk after a clean stop with a merged block, two single ones and a log segment, all of nasty spans.
    static func filledDisk(seed: UInt64, spansEach: Int = 12) async throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: seed)
        let store = try await S.open(disk)
        var nasty = NastySpans(seed: seed)
        for number in 0..<11 {
            try await store.append(SpanBatch(spans: nasty.spans(spansEach), receivedUnixNanos: UInt64(number)))
            if number < 10 { try await store.seal() }
            if number == 7 { try await store.compact() }
        }
        await store.close()
        return disk.copy()
    }

    static func flip(_ disk: SimulatedDisk, _ path: String, at offset: Int) {
        disk[path]?[offset] ^= 1 << UInt8(offset % 8)
    }
}
