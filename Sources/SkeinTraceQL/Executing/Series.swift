// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
import SkeinStore

/// Numbers over time.
package struct Series: Sendable {
    /// By name, in the order in which they were asked for.
    package var labels: [Label]
    /// By moment of the grid; `nil` where there is none.
    package var values: [Double?]
    package var exemplars: [Exemplar] = []

    package struct Label: Hashable, Sendable {
        package var name: String
        package var value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// A span that a sample counts.
    package struct Exemplar: Hashable, Sendable {
        /// Nanoseconds since 1970.
        package var startUnixNanos: UInt64
        package var traceID: TraceID
        package var spanID: SpanID
        package var value: Double
    }
}

extension Series {
    /// The label of a series that no group tells apart.
    static func name(_ name: String) -> Label { Label("__name__", .string(name)) }

    /// The order of series in answers: by the text of their labels.
    static func precedes(_ a: Series, _ b: Series) -> Bool {
        for (x, y) in zip(a.labels, b.labels) where x != y {
            if x.name != y.name { return x.name.utf8.lexicographicallyPrecedes(y.name.utf8) }
            if let m = x.value.number, let n = y.value.number, m != n { return m < n }
            let (s, t) = (x.value.text, y.value.text)
            if s != t { return s.utf8.lexicographicallyPrecedes(t.utf8) }
        }
        return a.labels.count < b.labels.count
    }
}

extension Value {
    /// As people read it: text as it is, durations with units as Go writes them.
    package var text: String {
        switch self {
        case .none: "nil"
        case .string(let text): text
        case .int(let int): String(int)
        case .double(let double): "\(double)"
        case .duration(let nanos): Value.text(ofNanos: nanos)
        case .bool(let bool): String(bool)
        case .status(let status): status.rawValue
        case .kind(let kind): kind.rawValue
        case .array(let elements): "[" + elements.map(\.text).joined(separator: ", ") + "]"
        case .other(let value): value.text
        }
    }

    /// Go's `time.Duration.String`: `1h2m3.5s`, `1.5ms`, `0s`.
    package static func text(ofNanos nanos: Int64) -> String {
        let size = nanos.magnitude
        if size == 0 { return "0s" }
        let sign = nanos < 0 ? "-" : ""
        func decimal(_ number: UInt64, _ unit: UInt64) -> String {
            var fraction = String(number % unit + unit).dropFirst()
            while fraction.last == "0" { fraction.removeLast() }
            return "\(number / unit)" + (fraction.isEmpty ? "" : ".\(fraction)")
        }
        if size < 1_000 { return "\(sign)\(size)ns" }
        if size < 1_000_000 { return "\(sign)\(decimal(size, 1_000))µs" }
        if size < 1_000_000_000 { return "\(sign)\(decimal(size, 1_000_000))ms" }
        let (hours, minutes) = (size / 3_600_000_000_000, size / 60_000_000_000 % 60)
        let seconds = decimal(size % 60_000_000_000, 1_000_000_000)
        if hours > 0 { return "\(sign)\(hours)h\(minutes)m\(seconds)s" }
        return minutes > 0 ? "\(sign)\(minutes)m\(seconds)s" : "\(sign)\(seconds)s"
    }
}

extension Field {
    /// As it is written in a query, and named in answers.
    package var text: String {
        switch self {
        case .intrinsic(let intrinsic):
            return Intrinsic.words.first { $0.value == intrinsic }?.key ?? intrinsic.rawValue
        case .attribute(.any, let key): return ".\(Self.part(key))"
        case .attribute(let scope, let key): return "\(scope.rawValue).\(Self.part(key))"
        case .parentAttribute(.any, let key): return "parent.\(Self.part(key))"
        case .parentAttribute(let scope, let key): return "parent.\(scope.rawValue).\(Self.part(key))"
        case .parentIntrinsic(let intrinsic):
            return "parent:\(intrinsic.rawValue.split(separator: ":").last ?? "")"
        }
    }

    private static func part(_ key: String) -> String {
        let isPlain = key.utf8.allSatisfy {
            !QueryByte.isSpace($0) && !QueryByte.isDelimiter($0) && $0 != UInt8(ascii: "\"")
        }
        if isPlain, !key.isEmpty { return key }
        return "\"" + key.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
