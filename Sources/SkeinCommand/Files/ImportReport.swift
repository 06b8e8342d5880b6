// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// What became of files that were imported.
struct ImportReport: Sendable {
    var files: [File] = []
    /// Spans that the server stored.
    var storedCount = 0
    /// Spans that the server did not take, by what it said.
    var refusals: [String: Int] = [:]
    /// Requests that were sent again.
    var retries = 0
    /// Why the run ended early; `nil` when it did not.
    var stop: String?
    var elapsedNanos: UInt64 = 0
    /// Whether nothing was to be sent.
    var isDry = false

    struct File: Sendable {
        var name: String
        /// Bytes that were read of it.
        var byteCount: Int
        var read: TraceFileReport
        /// Why it was not read to its end.
        var failure: String?
    }

    var readCount: Int { files.reduce(0) { $0 + $1.read.spanCount } }
    var skippedCount: Int { files.reduce(0) { $0 + $1.read.skippedCount } }
    var refusedCount: Int { refusals.values.reduce(0, +) }

    /// Whether every span that was found is stored, or would be sent.
    var isWhole: Bool { stop == nil && refusedCount == 0 && files.allSatisfy { $0.failure == nil } }

    /// What is said at the end.
    func summary(on terminal: Terminal) -> [String] {
        let seconds = max(Double(elapsedNanos) / 1e9, 1e-9)
        let count = isDry ? readCount : storedCount
        let byteCount = files.reduce(0) { $0 + $1.byteCount }
        let source =
            "from \(Figures.count(files.count, "file")) (\(Figures.bytes(byteCount))) in \(Figures.duration(elapsedNanos)), "
            + "\(Figures.count(Int(min(Double(count) / seconds, 1e15)))) spans/s"
        var lines = [
            "\(terminal.styled(Figures.count(count, "span"), .bold)) \(isDry ? "read and not sent" : "stored") \(source)"
        ]
        let forms = TraceFileFormat.allCases.compactMap { format in
            let count = files.reduce(0) { $0 + ($1.read.spanCounts[format] ?? 0) }
            return count > 0 ? "\(Figures.count(count)) in \(format.shownName)" : nil
        }
        if !forms.isEmpty { lines.append("read \(forms.joined(separator: ", "))") }
        lines += files.flatMap { file in notes(on: file) }.map { terminal.styled($0, .warning) }
        for (message, count) in refusals.sorted(by: { $0.key < $1.key }) {
            let reason = message.isEmpty ? "" : ": \(TerminalText.harmless(message))"
            lines.append(terminal.styled("\(Figures.count(count, "span")) refused by the server\(reason)", .error))
        }
        if let stop { lines.append(terminal.styled(stop, .error)) }
        return lines
    }

    private func notes(on file: File) -> [String] {
        let name = TerminalText.harmless(file.name)
        var notes = file.read.skips.map { skip in
            let place = skip.place.item.map { ", item \($0)" } ?? ""
            return
                "\(Figures.count(skip.count)) left out (\(skip.reason.label)), first \(name) line \(skip.place.line)\(place): "
                + TerminalText.harmless(skip.message)
        }
        let dropped = file.read.dropped
        if dropped.count > 0 {
            notes.append(
                "\(name): \(Figures.count(dropped.attributes, "attribute")), \(Figures.count(dropped.events, "event")) and "
                    + "\(Figures.count(dropped.links, "link")) were left out of spans that have too many"
            )
        } else if !file.read.warning.isEmpty {
            notes.append("\(name): \(TerminalText.harmless(file.read.warning))")
        }
        if let failure = file.failure {
            notes.append("\(name) was not read to its end: \(TerminalText.harmless(failure))")
        }
        return notes
    }
}

extension TraceFileFormat {
    /// What people call it.
    var shownName: String {
        switch self {
        case .otlp: "OTLP JSON"
        case .jaeger: "Jaeger JSON"
        case .zipkin: "Zipkin JSON"
        case .plain: "plain JSON"
        }
    }
}

/// A report for programs.
extension ImportReport: Encodable {
    private enum Member: String, CodingKey {
        case dryRun, elapsedSeconds, storedSpanCount, readSpanCount, retries, stopped, files, skipped, refused
        case name, byteCount, spanCounts, failure, droppedCount
        case reason, count, file, line, item, message
    }

    func encode(to encoder: any Encoder) throws {
        var report = encoder.container(keyedBy: Member.self)
        try report.encode(isDry, forKey: .dryRun)
        try report.encode(Double(elapsedNanos) / 1e9, forKey: .elapsedSeconds)
        try report.encode(storedCount, forKey: .storedSpanCount)
        try report.encode(readCount, forKey: .readSpanCount)
        try report.encode(retries, forKey: .retries)
        try report.encode(stop, forKey: .stopped)
        var list = report.nestedUnkeyedContainer(forKey: .files)
        for file in files {
            var item = list.nestedContainer(keyedBy: Member.self)
            try item.encode(file.name, forKey: .name)
            try item.encode(file.byteCount, forKey: .byteCount)
            let counts = file.read.spanCounts.map { ($0.key.rawValue, $0.value) }
            try item.encode(Dictionary(uniqueKeysWithValues: counts), forKey: .spanCounts)
            try item.encode(file.read.dropped.count, forKey: .droppedCount)
            try item.encode(file.failure, forKey: .failure)
        }
        var skips = report.nestedUnkeyedContainer(forKey: .skipped)
        for file in files {
            for skip in file.read.skips {
                var item = skips.nestedContainer(keyedBy: Member.self)
                try item.encode(skip.reason.label, forKey: .reason)
                try item.encode(skip.count, forKey: .count)
                try item.encode(file.name, forKey: .file)
                try item.encode(skip.place.line, forKey: .line)
                try item.encode(skip.place.item, forKey: .item)
                try item.encode(skip.message, forKey: .message)
            }
        }
        var refused = report.nestedUnkeyedContainer(forKey: .refused)
        for (message, count) in refusals.sorted(by: { $0.key < $1.key }) {
            var item = refused.nestedContainer(keyedBy: Member.self)
            try item.encode(message, forKey: .message)
            try item.encode(count, forKey: .count)
        }
    }
}
