// SPDX-License-Identifier: Apache-2.0

/// A program made deterministic: one table look-up per scalar.
///
/// Built whole when the pattern is compiled, so that it never changes and any thread may use it. Patterns whose table
/// would be large (`(a|b)*a(a|b){12}`) get none and are simulated instead.
struct PatternAutomaton: Sendable {
    private static let entriesMax = 1 << 18
    /// Instructions looked at while building; about ten milliseconds.
    private static let workMax = 1_000_000
    /// Threads of all states together, kept while building.
    private static let memberCountMax = 1 << 20

    private let classes: ScalarClasses
    /// State and class to state. State 0 is the one without hope.
    private var table: [UInt16] = []
    private var accepting: [Bool] = []

    /// `nil` when the table would be too large.
    init?(_ program: PatternProgram) {
        classes = program.classes
        var states = States()
        var stack: [Int] = []
        var current = PatternProgram.Threads(capacity: program.instructions.count)
        var following = current
        _ = states.number(of: [], side: .other)
        program.follow(program.start, into: &current, stack: &stack)
        _ = states.number(of: current.members, side: program.hasAssertions ? .edge : .other)
        var work = 0
        var state = 0
        while state < states.keys.count {
            let key = states.keys[state]
            for type in 0..<classes.count {
                current.removeAll()
                for pc in key.members { _ = current.insert(pc) }
                program.step(&current, from: key.side, by: type, into: &following, stack: &stack)
                work += current.count + following.count + 1
                let side = program.hasAssertions && following.count > 0 ? classes.sides[type] : .other
                table.append(states.number(of: following.members, side: side))
                // A row may be wide and its states large: no bound waits for its end.
                if work > Self.workMax || states.memberCount > Self.memberCountMax
                    || states.keys.count * classes.count > Self.entriesMax || states.keys.count > Int(UInt16.max)
                {
                    return nil
                }
            }
            current.removeAll()
            for pc in key.members { _ = current.insert(pc) }
            accepting.append(program.accepts(&current, after: key.side, stack: &stack))
            state += 1
        }
    }

    /// Whether the whole of `text` matches.
    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        var state = 1
        var offset = 0
        let width = classes.count
        let isDone = table.withUnsafeBufferPointer { table in
            while offset < text.count {
                // In bounds: states and classes are numbered from 0 and every state has a full row.
                state = Int(table[state &* width &+ classes.next(in: text, at: &offset)])
                if state == 0 { return false }
            }
            return true
        }
        return isDone && accepting[state]
    }

    /// States by what they stand for: the threads alive, and what stands before the place.
    private struct States {
        struct Key: Hashable {
            var members: [Int]
            var side: PatternAssertion.Side
        }

        var keys: [Key] = []
        /// Members of all keys.
        private(set) var memberCount = 0
        private var numbers: [Key: UInt16] = [:]

        mutating func number(of members: [Int], side: PatternAssertion.Side) -> UInt16 {
            let key = Key(members: members.sorted(), side: side)
            if let known = numbers[key] { return known }
            // The bound on their count is checked after each.
            let number = UInt16(truncatingIfNeeded: keys.count)
            numbers[key] = number
            keys.append(key)
            memberCount += members.count
            return number
        }
    }
}
