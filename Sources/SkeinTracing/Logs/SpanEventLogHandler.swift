// SPDX-License-Identifier: Apache-2.0
public import Logging
import SkeinRecording
import Tracing

/// Logs as another handler does, and adds each line of a level and above to the span that it is logged in, as an event `log` with
/// `log.severity`, `log.message`, `log.logger` and the line's metadata. An error that comes with a line is recorded as such.
///
///     LoggingSystem.bootstrap { SpanEventLogHandler(StreamLogHandler.standardOutput(label: $0), label: $0) }
public struct SpanEventLogHandler: LogHandler {
    private var inner: any LogHandler
    private let label: String
    private let eventLevel: Logger.Level

    /// Lines below `eventLevel` are only logged; those below the level of the logger are neither.
    public init(_ inner: any LogHandler, label: String, eventLevel: Logger.Level = .info) {
        self.inner = inner
        self.label = label
        self.eventLevel = eventLevel
    }

    public func log(event: LogEvent) {
        inner.log(event: event)
        guard event.level >= eventLevel, let span = Skein.currentSpan, span.isRecording else { return }
        var attributes: SpanAttributes = [
            "log.severity": .string("\(event.level)"), "log.message": .string("\(event.message)"),
            "log.logger": .string(label),
        ]
        for (key, value) in inner.metadata { attributes.set(key, value: .string("\(value)")) }
        for (key, value) in event.metadata ?? [:] { attributes.set(key, value: .string("\(value)")) }
        span.addEvent("log", attributes: attributes)
        if let error = event.error { span.recordError(error) }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue }
    }

    public var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue }
    }

    public var logLevel: Logger.Level {
        get { inner.logLevel }
        set { inner.logLevel = newValue }
    }

    public var metadataProvider: Logger.MetadataProvider? {
        get { inner.metadataProvider }
        set { inner.metadataProvider = newValue }
    }
}
