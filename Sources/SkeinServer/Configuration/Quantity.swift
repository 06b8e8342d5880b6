// SPDX-License-Identifier: Apache-2.0

/// Durations and sizes as people write them.
package enum Quantity {
    private static let durationUnits: [(String, Int64)] = [
        ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
    ]
    private static let sizeUnits: [(String, Int64)] = [
        ("", 1), ("B", 1), ("kB", 1000), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]

    /// `30d`, `1.5h`, `500ms`; the unit is required.
    static func duration(_ text: String) -> Duration? { parse(text, durationUnits).map { .nanoseconds($0) } }

    /// `100GB`, `512MiB`, `4096`.
    package static func size(_ text: String) -> Int? { parse(text, sizeUnits).map { Int($0) } }

    private static func parse(_ text: String, _ units: [(String, Int64)]) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count)
        guard let number = Double(digits), let scale = units.first(where: { $0.0 == unit })?.1 else { return nil }
        return Int64(exactly: (number * Double(scale)).rounded())
    }

    /// The shortest way to write a duration that reads back the same.
    static func text(_ duration: Duration) -> String {
        let nanos = duration / .nanoseconds(1)
        for (unit, scale) in durationUnits.reversed() where nanos >= Double(scale) {
            let count = nanos / Double(scale)
            if count == count.rounded() { return "\(Int(count))\(unit)" }
        }
        return "\(Int(nanos / 1_000_000))ms"
    }

    /// The shortest way to write a size that reads back the same.
    package static func text(_ bytes: Int) -> String {
        let ways = sizeUnits.filter { Int64(bytes) % $0.1 == 0 }.map { "\(Int64(bytes) / $0.1)\($0.0)" }
        // Of equally short ones that with the largest unit.
        return ways.reversed().min { $0.count < $1.count } ?? "\(bytes)"
    }
}
