// SPDX-License-Identifier: Apache-2.0

/// Two sides compared, as `GET /api/skein/v1/compare` answers it; paths are in depth-first order.
struct ComparisonAnswer: Decodable {
    var a: Side
    var b: Side
    var changes: Changes
    var services: [Service]
    var paths: [Path]

    struct Side: Decodable {
        var traceIds: [String]
        /// Of several traces the average.
        var spanCount: Double
        var errorCount: Double
        /// A decimal number.
        var durationNanos: String
    }

    struct Changes: Decodable {
        var onlyA: Int
        var onlyB: Int
        var changed: Int
        var same: Int
    }

    struct Service: Decodable {
        var name: String
        var color: Int
    }

    struct Path: Decodable {
        var parent: Int
        var depth: Int
        var service: String
        var operation: String
        var change: Change
        var a: Figures?
        var b: Figures?
    }

    enum Change: String, Decodable { case onlyA, onlyB, changed, same }

    struct Figures: Decodable {
        var spanCount: Double
        var errorCount: Double
        /// Decimal numbers.
        var totalNanos: String
        var selfNanos: String
    }

    /// Whether every path stands behind the one it continues, as what comes over the wire is relied upon.
    var isSound: Bool {
        paths.indices.allSatisfy { paths[$0].parent >= -1 && paths[$0].parent < $0 }
            && services.allSatisfy { $0.color >= 0 }
    }
}

extension ComparisonAnswer.Path {
    /// How much more of its own time B takes: nanoseconds.
    var selfDifference: Double {
        (b.map { Double($0.selfNanos) ?? 0 } ?? 0) - (a.map { Double($0.selfNanos) ?? 0 } ?? 0)
    }
}
