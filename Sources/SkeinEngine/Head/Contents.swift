// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import Synchronization

/// What the store holds at this moment, under one mutex: the head's parts and the open blocks.
///
/// Everything that readers can see changes here in single steps, so that a snapshot never shows a span twice because
/// its head part became a block, nor misses it in between.
final class Contents: Sendable {
    private struct State {
        var active: HeadPart
        /// Waiting to become blocks, oldest first.
        var frozen: [HeadPart] = []
        var services: [String: Int]
    }

    private let state: Mutex<State>

    /// Contents of a store just opened.
    init(active: HeadPart, frozen: [HeadPart], services: [String]) {
        var numbers: [String: Int] = [:]
        for (number, name) in services.enumerated() { numbers[name] = number }
        state = Mutex(State(active: active, frozen: frozen, services: numbers))
    }

    /// All that a read looks at.
    struct Snapshot: Sendable {
        /// In order of arrival.
        var head: [HeadSnapshot]
    }

    func snapshot() -> Snapshot {
        state.withLock { state in Snapshot(head: (state.frozen + [state.active]).map { $0.snapshot() }) }
    }

    /// Shows batches to readers that start from now on. Only the log's thread calls it, in the order of the log.
    func keep(_ batches: [SpanBatch]) {
        state.withLock { state in
            for batch in batches where !batch.isEmpty {
                for ref in batch.resources.serviceNameRefs where ref != 0 {
                    let name = batch.dictionary.string(ref)
                    if state.services[name] == nil { state.services[name] = state.services.count }
                }
                state.active.append(batch)
            }
        }
    }

    /// The number every service name got, whether or not spans of it are still stored.
    var serviceNumbers: [String: Int] { state.withLock { $0.services } }

    /// Figures of each head part, the active one last.
    var headFigures: [HeadPart.Figures] {
        state.withLock { state in (state.frozen + [state.active]).map(\.figures) }
    }
}
