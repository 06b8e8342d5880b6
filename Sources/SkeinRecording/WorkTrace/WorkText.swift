// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Tracing

/// Texts of callers within their limits.
enum WorkText {
    static let valueByteCountMax = 4 << 10
    static let keyByteCountMax = 256

    /// The first bytes of a text, no character in half.
    static func cut(_ text: String, to byteCountMax: Int) -> String {
        String(UTF8Text.prefix(text, byteCountMax: byteCountMax))
    }
}

/// What there is room for in the context of a step or in the labels of a session (`agents.md` §1.3).
struct WorkContextLimits {
    private var keysLeft = 64
    private var bytesLeft = 64 << 10
    /// Whether something was left out or cut.
    private(set) var isTruncated = false

    /// The values in the order of their keys, as far as there is room.
    mutating func attributes(
        of values: [String: SpanAttribute],
        below prefix: String
    ) -> [(key: String, value: RecordedValue)] {
        guard !values.isEmpty else { return [] }
        var all: [(key: String, value: RecordedValue)] = []
        all.reserveCapacity(min(values.count, keysLeft))
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            let name = WorkText.cut(key, to: WorkText.keyByteCountMax)
            let (value, byteCount) = cut(RecordedValue(value))
            guard keysLeft > 0, name.utf8.count + byteCount <= bytesLeft else {
                isTruncated = true
                continue
            }
            keysLeft -= 1
            bytesLeft -= name.utf8.count + byteCount
            all.append((prefix + name, value))
        }
        return all
    }

    private mutating func cut(_ value: RecordedValue) -> (value: RecordedValue, byteCount: Int) {
        switch value {
        case .string(let text):
            let cut = WorkText.cut(text, to: WorkText.valueByteCountMax)
            if cut.utf8.count < text.utf8.count { isTruncated = true }
            return (.string(cut), cut.utf8.count)
        case .strings(let texts):
            var left = WorkText.valueByteCountMax
            let kept = texts.prefix { text in
                left -= text.utf8.count + 1
                return left >= 0
            }
            if kept.count < texts.count { isTruncated = true }
            return (.strings(Array(kept)), WorkText.valueByteCountMax - max(left, 0))
        case .ints(let numbers): return (.ints(first(of: numbers)), 8 * min(numbers.count, Self.numberCountMax))
        case .doubles(let numbers): return (.doubles(first(of: numbers)), 8 * min(numbers.count, Self.numberCountMax))
        case .bools(let flags): return (.bools(first(of: flags)), 8 * min(flags.count, Self.numberCountMax))
        case .bool, .int, .double, .other: return (value, 8)
        }
    }

    private static let numberCountMax = WorkText.valueByteCountMax / 8

    private mutating func first<Value>(of list: [Value]) -> [Value] {
        if list.count > Self.numberCountMax { isTruncated = true }
        return Array(list.prefix(Self.numberCountMax))
    }
}

extension WorkTrace {
    /// Records a piece of content where the client is told to, and its length in any case.
    func set(_ text: String?, _ key: String, _ name: String, on span: WorkSpan) {
        guard let text else { return }
        span["worktrace.content.\(name).bytes"] = .int(Int64(text.utf8.count))
        guard recordsContent else {
            span["worktrace.content.dropped"] = .bool(true)
            return
        }
        span[key] = .string(WorkText.cut(text, to: contentByteCountMax))
        if text.utf8.count > contentByteCountMax { span["worktrace.content.truncated"] = .bool(true) }
    }
}
