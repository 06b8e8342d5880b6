// SPDX-License-Identifier: Apache-2.0
import SkeinRecording

/// Spans by the tracer that made them and by scope, each in the order in which it first comes.
struct SpanGroups {
    struct Scope {
        var name: Substring
        /// Indices of its spans, in their order.
        var rows: [Int] = []
    }

    /// What was made by one tracer.
    struct Resource {
        let core: TracerCore
        var scopes: [Scope] = []
    }

    private(set) var resources: [Resource] = []

    init(_ spans: [FinishedSpan]) {
        /// Where the spans of a file of a tracer go; most follow one of their own file.
        struct File: Hashable {
            var core: ObjectIdentifier
            var fileID: String
        }
        var places: [File: (resource: Int, scope: Int)] = [:]
        var last: (file: File, resource: Int, scope: Int)?
        for (row, span) in spans.enumerated() {
            let recording = span.recording
            let file = File(core: ObjectIdentifier(recording.core), fileID: recording.fileID)
            if let last, last.file == file {
                resources[last.resource].scopes[last.scope].rows.append(row)
                continue
            }
            let place = places[file] ?? place(of: recording)
            places[file] = place
            last = (file, place.resource, place.scope)
            resources[place.resource].scopes[place.scope].rows.append(row)
        }
    }

    private mutating func place(of recording: RecordingSpan) -> (resource: Int, scope: Int) {
        var resource = resources.count
        if let known = resources.firstIndex(where: { $0.core === recording.core }) {
            resource = known
        } else {
            resources.append(Resource(core: recording.core))
        }
        var scope = resources[resource].scopes.count
        let name = recording.scopeName
        if let known = resources[resource].scopes.firstIndex(where: { $0.name == name }) {
            scope = known
        } else {
            resources[resource].scopes.append(Scope(name: name))
        }
        return (resource, scope)
    }
}
