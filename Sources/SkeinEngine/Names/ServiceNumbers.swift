// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// The number that each service name got when it first came.
///
/// A number is for good, so there are no more than ``countMax``, and none for names longer than ``nameByteCountMax``: what
/// sends that many, or such names, does not send names of services.
/// Spans of further services are kept and found like any others; only their colours are made of their names.
struct ServiceNumbers: Sendable {
    /// Names that get a number.
    static let countMax = 100_000
    /// Bytes of such a name.
    static let nameByteCountMax = 256

    private(set) var numbers: [ExactText: Int]
    private var next: Int
    /// How often a batch brought a name that got none.
    private(set) var refusedCount = 0

    /// Numbers given before.
    init(_ numbers: [ExactText: Int]) {
        self.numbers = numbers
        next = (numbers.values.max() ?? -1) + 1
    }

    /// Gives a number to a name that has none.
    mutating func add(_ name: String) {
        let name = ExactText(name)
        guard numbers[name] == nil else { return }
        guard numbers.count < Self.countMax, Self.isNumbered(name.text) else {
            refusedCount += 1
            return
        }
        numbers[name] = next
        next += 1
    }

    /// Whether a name is short enough for a number.
    static func isNumbered(_ name: String) -> Bool { name.utf8.count <= nameByteCountMax }

    func ordinal(of name: String) -> Int { numbers[ExactText(name)] ?? ServiceName.ordinal(ofUnnumbered: name) }
}
