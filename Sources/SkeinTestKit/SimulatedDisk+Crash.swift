// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension SimulatedDisk.Node.Bytes {
    /// What the device holds after the power went.
    func survivor(_ random: inout SeededRandom) -> [UInt8] {
        var kept = synced
        if current.count >= synced.count, current.starts(with: synced) {
            // Appended since: any part of it, perhaps with sectors that never came.
            let added = current.count - synced.count
            kept += current[synced.count...].prefix(Int.random(in: 0...added, using: &random))
            garble(&kept, from: synced.count, &random)
        } else if Bool.random(using: &random) {
            kept = current
        }
        if doubtful < kept.count { garble(&kept, from: doubtful, &random) }
        return kept
    }

    /// Makes some sectors of 512 bytes from `start` on zero or random.
    private func garble(_ bytes: inout [UInt8], from start: Int, _ random: inout SeededRandom) {
        guard start < bytes.count, Bool.random(using: &random) else { return }
        for sector in (start / 512)...((bytes.count - 1) / 512) where Int.random(in: 0..<4, using: &random) == 0 {
            let isZero = Bool.random(using: &random)
            for at in max(start, sector * 512)..<min(bytes.count, sector * 512 + 512) {
                bytes[at] = isZero ? 0 : UInt8.random(in: 0...255, using: &random)
            }
        }
    }
}
