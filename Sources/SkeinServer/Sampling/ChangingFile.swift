// SPDX-License-Identifier: Apache-2.0
import Foundation
import ServiceLifecycle
import Synchronization

/// A file that is read again when it has changed.
final class ChangingFile: Sendable {
    /// How often the file is looked at.
    private static let interval = Duration.seconds(2)

    let path: String
    /// Of the file that was read last.
    private let last: Mutex<Mark?>

    /// The file at `path` as it is now: what changes while it is read for the first time is a change.
    init(_ path: String) {
        self.path = path
        last = Mutex(Mark(path))
    }

    /// Whether it is another than when this was asked before.
    func hasChanged() -> Bool {
        let mark = Mark(path)
        return last.withLock { last in
            defer { last = mark }
            return mark != last
        }
    }

    /// Calls `look` again and again, until the task is cancelled.
    func watch(_ look: @escaping @Sendable () -> Void) async {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil { look() }
        }
    }

    /// What changes with a file.
    private struct Mark: Equatable, Sendable {
        var modified: Date?
        var byteCount: UInt64?
        var number: UInt64?

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
}
