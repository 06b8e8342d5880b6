// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What changes with a file, for those who read it again then.
struct FileMark: Equatable, Sendable {
    private var modified: Date?
    private var byteCount: UInt64?
    private var number: UInt64?

    /// `nil` when there is no file.
    init?(_ path: String) {
        // A link is followed: files of a Kubernetes config map are replaced by turning one.
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: real) else { return nil }
        modified = attributes[.modificationDate] as? Date
        byteCount = (attributes[.size] as? NSNumber)?.uint64Value
        number = (attributes[.systemFileNumber] as? NSNumber)?.uint64Value
    }
}
