// SPDX-License-Identifier: Apache-2.0

/// What came of a file so far.
package struct TraceFileReport: Sendable {
    /// Spans that were read, by the form they had.
    package internal(set) var spanCounts: [TraceFileFormat: Int] = [:]
    /// What was left out, in the order in which each reason first came up.
    package private(set) var skips: [Skip] = []
    /// What was left out of spans that were read, since they had too much of it.
    package internal(set) var dropped = DroppedItems()
    /// What whoever wrote the file should change although it could be read; empty for nothing.
    package internal(set) var warning = ""

    /// Spans that were read.
    package var spanCount: Int { spanCounts.values.reduce(0, +) }
    /// Objects and spans that were left out.
    package var skippedCount: Int { skips.reduce(0) { $0 + $1.count } }

    /// What was left out for one reason.
    package struct Skip: Sendable {
        package var reason: Reason
        /// Of spans, or of objects and lines that nothing was read of.
        package var count: Int
        /// What was wrong with the first of them.
        package var message: String
        /// Where the first of them begins.
        package var place: JSONSplitter.Place
    }

    /// Why something was left out.
    package enum Reason: Hashable, Sendable {
        /// What is no JSON, or not of the shape that its form has.
        case malformed
        /// The file ends inside of it.
        case cutOff
        /// JSON that is none of the forms, or another form than was asked for.
        case unknownForm
        /// More than is held in memory.
        case tooLarge
        /// A span that cannot be taken.
        case span(RejectionReason)

        /// What a program tells reasons apart by.
        package var label: String {
            switch self {
            case .malformed: "malformed"
            case .cutOff: "cut_off"
            case .unknownForm: "unknown_form"
            case .tooLarge: "too_large"
            case .span(let reason): reason.rawValue
            }
        }
    }

    mutating func skip(
        _ reason: Reason,
        _ count: Int = 1,
        at place: JSONSplitter.Place,
        _ message: @autoclosure () -> String
    ) {
        if let index = skips.firstIndex(where: { $0.reason == reason }) {
            skips[index].count += count
        } else {
            skips.append(Skip(reason: reason, count: count, message: message(), place: place))
        }
    }

    /// Whether something was left out for this reason.
    func hasSkipped(_ reason: Reason) -> Bool { skips.contains { $0.reason == reason } }

    /// Adds what came of another file.
    package mutating func add(_ other: TraceFileReport) {
        spanCounts.merge(other.spanCounts, uniquingKeysWith: +)
        for other in other.skips { skip(other.reason, other.count, at: other.place, other.message) }
        dropped += other.dropped
        if warning.isEmpty { warning = other.warning }
    }
}
