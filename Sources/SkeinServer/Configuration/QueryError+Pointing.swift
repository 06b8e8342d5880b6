// SPDX-License-Identifier: Apache-2.0
import SkeinTraceQL

extension QueryError {
    /// What is wrong with a condition, and carets under the words at fault.
    func pointing(into condition: String) -> String {
        let lines = condition.split(separator: "\n", omittingEmptySubsequences: false)
        let hint = suggestion.map { "; did you mean \($0)?" } ?? ""
        let line = lines.indices.contains(range.line - 1) ? lines[range.line - 1] : ""
        let marked = String(decoding: condition.utf8.dropFirst(range.offset).prefix(range.length), as: UTF8.self)
        let margin = String(repeating: " ", count: 2 + range.column - 1)
        let carets = String(repeating: "^", count: max(1, marked.unicodeScalars.count))
        return "\(message)\(hint)\n  \(line)\n\(margin)\(carets)"
    }
}
