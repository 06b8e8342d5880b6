// SPDX-License-Identifier: Apache-2.0

/// A regular expression as a nondeterministic automaton (Thompson's construction), over classes of scalars.
///
/// Two scalars are of one class when every set of the pattern holds both or neither; so an automaton steps by class,
/// of which there are few, and need not know UTF-8.
struct PatternProgram: Sendable {
    /// Most instructions of a program. Counted repetitions are written out, so `(a{100}){200}` is over it.
    static let instructionsMax = 10_000

    enum Instruction: Sendable {
        /// Goes on to `next` when the scalar is in set `set`.
        case take(set: Int, next: Int)
        case split(Int, Int)
        case assert(PatternAssertion, next: Int)
        case match
    }

    private(set) var instructions: [Instruction] = [.match]
    private(set) var start = 0
    /// Whether any instruction looks at what stands beside a place.
    private(set) var hasAssertions = false
    let classes: ScalarClasses

    /// Compiles `node`.
    init(_ node: PatternNode) throws(TextPattern.Failure) {
        var builder = Builder()
        start = try builder.compile(node, next: 0)
        instructions = builder.instructions
        hasAssertions = builder.hasAssertions
        classes = ScalarClasses(builder.sets, separatingSides: builder.hasAssertions)
    }

    /// Whether the whole of `text` matches: all threads at once, each instruction at most once per scalar.
    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        var current = Threads(capacity: instructions.count)
        var following = Threads(capacity: instructions.count)
        var stack: [Int] = []
        follow(start, into: &current, stack: &stack)
        var side = hasAssertions ? PatternAssertion.Side.edge : .other
        var offset = 0
        while offset < text.count {
            let type = classes.next(in: text, at: &offset)
            step(&current, from: side, by: type, into: &following, stack: &stack)
            side = hasAssertions ? classes.sides[type] : .other
            swap(&current, &following)
            if current.count == 0 { return false }
        }
        return accepts(&current, after: side, stack: &stack)
    }

    /// Adds what is reached from `pc` without a scalar, up to assertions.
    func follow(_ pc: Int, into threads: inout Threads, stack: inout [Int]) {
        stack.append(pc)
        while let pc = stack.popLast() {
            guard threads.insert(pc) else { continue }
            if case .split(let first, let second) = instructions[pc] {
                stack.append(second)
                stack.append(first)
            }
        }
    }

    /// Replaces `following` by what `current` becomes with a scalar of class `type`; `current` is used up.
    func step(
        _ current: inout Threads,
        from side: PatternAssertion.Side,
        by type: Int,
        into following: inout Threads,
        stack: inout [Int]
    ) {
        following.removeAll()
        resolve(&current, between: side, and: classes.sides[type], stack: &stack)
        for index in 0..<current.count {
            if case .take(let set, let next) = instructions[current[index]], classes.contains(set, type) {
                follow(next, into: &following, stack: &stack)
            }
        }
    }

    /// Whether the text may end here.
    func accepts(_ current: inout Threads, after side: PatternAssertion.Side, stack: inout [Int]) -> Bool {
        resolve(&current, between: side, and: .edge, stack: &stack)
        return current.contains(0)
    }

    /// Lets threads pass the assertions that hold.
    private func resolve(
        _ threads: inout Threads,
        between before: PatternAssertion.Side,
        and after: PatternAssertion.Side,
        stack: inout [Int]
    ) {
        guard hasAssertions else { return }
        var index = 0
        // What is passed may meet assertions again, so the list grows while it is read.
        while index < threads.count {
            if case .assert(let assertion, let next) = instructions[threads[index]],
                assertion.holds(between: before, and: after)
            {
                follow(next, into: &threads, stack: &stack)
            }
            index += 1
        }
    }

    /// A set of instruction numbers that is emptied in no time and keeps the order of arrival.
    struct Threads {
        private var dense: [Int] = []
        private var positions: [Int]

        init(capacity: Int) { positions = [Int](repeating: 0, count: capacity) }

        var count: Int { dense.count }
        var members: [Int] { dense }
        subscript(index: Int) -> Int { dense[index] }

        func contains(_ pc: Int) -> Bool {
            let position = positions[pc]
            return position < dense.count && dense[position] == pc
        }

        /// Whether `pc` is new.
        mutating func insert(_ pc: Int) -> Bool {
            if contains(pc) { return false }
            positions[pc] = dense.count
            dense.append(pc)
            return true
        }

        mutating func removeAll() { dense.removeAll(keepingCapacity: true) }
    }

    /// Writes instructions from the end to the start: what follows a node is known when the node is written.
    private struct Builder {
        var instructions: [Instruction] = [.match]
        var sets: [ScalarSet] = []
        var hasAssertions = false
        private var numbers: [ScalarSet: Int] = [:]

        /// Writes `node` so that it goes on to `next`, and answers where it begins.
        mutating func compile(_ node: PatternNode, next: Int) throws(TextPattern.Failure) -> Int {
            switch node {
            case .empty: return next
            case .scalar(let set): return try emit(.take(set: number(of: set), next: next))
            case .assertion(let assertion):
                hasAssertions = true
                return try emit(.assert(assertion, next: next))
            case .sequence(let parts):
                var entry = next
                for part in parts.reversed() { entry = try compile(part, next: entry) }
                return entry
            case .alternation(let branches):
                var entry: Int?
                for branch in branches.reversed() {
                    let first = try compile(branch, next: next)
                    entry = if let entry { try emit(.split(first, entry)) } else { first }
                }
                return entry ?? next
            case .repetition(let body, let least, let most):
                return try compileRepetition(body, least, most, next: next)
            }
        }

        private mutating func compileRepetition(_ body: PatternNode, _ least: Int, _ most: Int?, next: Int)
            throws(TextPattern.Failure) -> Int
        {
            var entry = next
            var copies = least
            if let most {
                for _ in least..<most {
                    let first = try compile(body, next: entry)
                    entry = try emit(.split(first, next))
                }
            } else {
                let loop = try emit(.split(next, next))
                let first = try compile(body, next: loop)
                instructions[loop] = .split(first, next)
                entry = loop
                if least > 0 {
                    // The last copy that must come is the body of the loop itself.
                    entry = first
                    copies -= 1
                }
            }
            for _ in 0..<copies {
                let first = try compile(body, next: entry)
                // A body that writes nothing matches nothing more, however often: `((){1000}){1000}` ends here.
                if first == entry { break }
                entry = first
            }
            return entry
        }

        private mutating func emit(_ instruction: Instruction) throws(TextPattern.Failure) -> Int {
            guard instructions.count < PatternProgram.instructionsMax else {
                throw TextPattern.Failure(
                    message: "the pattern needs more than \(PatternProgram.instructionsMax) steps; repeat less",
                    offset: 0
                )
            }
            instructions.append(instruction)
            return instructions.count - 1
        }

        private mutating func number(of set: ScalarSet) -> Int {
            if let known = numbers[set] { return known }
            numbers[set] = sets.count
            sets.append(set)
            return sets.count - 1
        }
    }
}
