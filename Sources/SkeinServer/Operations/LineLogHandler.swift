// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging

/// Writes one readable line a message to standard error: time, level, message, then `key=value` pairs.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(level: Logger.Level) { logLevel = level }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = Date.now.formatted(.iso8601.time(includingFractionalSeconds: true))
        line +=
            " \(event.level.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)) \(Self.plain("\(event.message)"))"
        let pairs = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.plain("\(value)"))" }
        if let error = event.error { line += " error=\(Self.plain("\(error)"))" }
        // A log that nobody can read any more, or that has no room, must not take the server with it.
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }

    /// A message stays one line and cannot steer a terminal.
    private static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else { return text }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 })
        )
    }
}
