// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension Disk {
    /// Writes `bytes` as the file `path`, for good, in place of one that is there: after a stop it is the one or the other.
    /// Nobody else writes it at the same time.
    func replace(_ path: String, with bytes: UnsafeRawBufferPointer) throws(DiskError) {
        let temporary = path + StoreFolder.temporarySuffix
        // What a stop left of an earlier try.
        try? remove(temporary)
        do throws(DiskError) {
            let file = try open(temporary, .create)
            try file.append(bytes)
            try file.sync()
            try rename(temporary, to: path)
            try syncDirectory(StoreFolder.parent(of: path))
        } catch {
            try? remove(temporary)
            throw error
        }
    }
}
