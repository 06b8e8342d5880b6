// SPDX-License-Identifier: Apache-2.0

/// A trace as columns, as `GET /api/skein/v1/traces/{id}/skeleton` answers it; rows are in depth-first order.
struct TraceSkeleton: Decodable {
    var traceId: String
    /// Decimal numbers, as texts.
    var traceStartUnixNano: String
    var durationNanos: String
    var spanCount: Int
    var errorCount: Int
    var rootServiceName: String
    var rootSpanName: String
    var services: [Service]
    var operations: [String]
    var spans: Columns
    var missingParents: [MissingParent]
    var warnings: [Warning]
    /// Whether somebody pinned it; of a server that does not say, nothing.
    var pinned: Bool?

    struct Service: Decodable {
        var name: String
        var color: Int
        var spanCount: Int
        var errorCount: Int
    }

    struct Columns: Decodable {
        var id: [String]
        var parent: [Int]
        var service: [Int]
        var operation: [Int]
        var kind: [Int]
        var status: [Int]
        /// Nanoseconds after the start of the trace.
        var start: [UInt64]
        var duration: [UInt64]
        var events: [Int]
        /// How many spans each stands for after sampling; of a server that does not say, nothing.
        var weight: [Double]?
    }

    struct MissingParent: Decodable {
        var spanId: String
        var rows: [Int]
    }

    struct Warning: Decodable {
        var code: String
        var message: String
    }

    /// Whether every column has a value for each row, and every number points to something: what comes over the wire
    /// is checked once here and then relied upon.
    var isSound: Bool {
        let count = spans.id.count
        let columns = [spans.parent, spans.service, spans.operation, spans.kind, spans.status, spans.events]
        return columns.allSatisfy { $0.count == count } && spans.start.count == count && spans.duration.count == count
            && spans.weight?.count ?? count == count
            && spans.parent.indices.allSatisfy { spans.parent[$0] >= -1 && spans.parent[$0] < $0 }
            && spans.service.allSatisfy { services.indices.contains($0) }
            && spans.operation.allSatisfy { operations.indices.contains($0) }
            && services.allSatisfy { $0.color >= 0 }
    }
}
