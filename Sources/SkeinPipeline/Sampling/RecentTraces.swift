// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What was noted of traces lately: of the last `countMax` at least, of twice as many at most.
struct RecentTraces<Value: Sendable>: Sendable {
    private let countMax: Int
    private var recent: [TraceID: Value] = [:]
    private var older: [TraceID: Value] = [:]

    /// Sixty-four thousand traces take some 5 MB when full.
    init(countMax: Int = 64 << 10) { self.countMax = countMax }

    /// Memory that the notes take.
    var byteCount: Int { (recent.capacity + older.capacity) * Self.byteCountOfNote }
    /// A note, its trace id and its share of the room that hashing leaves free.
    static var byteCountOfNote: Int { (MemoryLayout<TraceID>.stride + MemoryLayout<Value>.stride) * 4 / 3 + 1 }

    var isEmpty: Bool { recent.isEmpty && older.isEmpty }

    /// What was noted of a trace; `nil` when nothing was, or too long ago. Reading does not make it newer.
    subscript(id: TraceID) -> Value? { recent[id] ?? older[id] }

    /// Notes a trace, in place of what was noted of it before.
    mutating func note(_ value: Value, of id: TraceID) {
        if recent.count >= countMax, recent[id] == nil { (older, recent) = (recent, [:]) }
        recent[id] = value
    }
}
