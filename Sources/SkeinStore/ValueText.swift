// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension AttributeValue {
    /// The value as people read and complete it: text as it is, numbers in decimal, bytes in hexadecimal, arrays and
    /// maps in brackets.
    package var text: String {
        switch self {
        case .null: ""
        case .string(let string): string
        case .bool(let bool): bool ? "true" : "false"
        case .int(let int): "\(int)"
        case .double(let double): "\(double)"
        case .bytes(let bytes): bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .array(let elements): "[" + elements.map(\.text).joined(separator: ", ") + "]"
        case .map(let pairs): "{" + pairs.map { "\($0.key): \($0.value.text)" }.joined(separator: ", ") + "}"
        }
    }

    /// Its type; `nil` for `null`.
    package var type: ValueType? {
        switch self {
        case .null: nil
        case .string: .string
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .bytes: .bytes
        case .array: .array
        case .map: .map
        }
    }
}
