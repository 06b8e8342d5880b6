// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording

/// The spans of this process that belong together, until they may be shown: below each span that has no parent here, all that
/// began under it.
struct TraceTrees {
    /// Span ids alone need not be unique.
    struct Key: Hashable {
        var traceID: TraceID
        var spanID: SpanID

        init(_ context: SpanContext) { (traceID, spanID) = (context.traceID, context.spanID) }

        init(_ traceID: TraceID, _ spanID: SpanID) { (self.traceID, self.spanID) = (traceID, spanID) }
    }

    struct Node {
        var name: String
        /// `nil` as long as it runs.
        var span: FinishedSpan?
        /// In the order in which they began.
        var children: [Key] = []
    }

    /// What is ready to be shown.
    struct Tree {
        var root: Key
        var nodes: [Key: Node]
        /// The name of the span under which it began, where that is not shown with it.
        var parent: String?
    }

    /// A tree that grows.
    private struct Growing {
        var nodes: [Key: Node]
        /// Counts trees.
        var number: Int
        let startUnixNanos: UInt64
    }

    private var growing: [Key: Growing] = [:]
    /// The root of the tree in which a span is, for all spans that are held.
    private var roots: [Key: Key] = [:]
    private var count = 0

    /// Spans that are held at most; with more, the oldest tree is shown as it is.
    let spanCountMax: Int
    /// How long a root may run until what ends directly below it is shown by itself.
    let patienceNanos: UInt64

    init(spanCountMax: Int, patienceNanos: UInt64) {
        self.spanCountMax = spanCountMax
        self.patienceNanos = patienceNanos
    }

    /// Spans that are held.
    var spanCount: Int { roots.count }

    /// Takes a span that begins, below `parent` if that is held. Answers what has to go for it.
    mutating func start(_ key: Key, name: String, parent: Key?, atUnixNanos nanos: UInt64) -> Tree? {
        var displaced: Tree?
        if roots.count >= spanCountMax, let oldest = growing.min(by: { $0.value.number < $1.value.number })?.key {
            displaced = remove(oldest)
        }
        if let parent, let root = roots[parent], growing[root]?.nodes[parent] != nil {
            growing[root]?.nodes[parent]?.children.append(key)
            growing[root]?.nodes[key] = Node(name: name)
            roots[key] = root
        } else {
            count += 1
            growing[key] = Growing(nodes: [key: Node(name: name)], number: count, startUnixNanos: nanos)
            roots[key] = key
        }
        return displaced
    }

    /// Takes a span that has ended. Answers the tree that is ready by it: its own when it is a root, or is not held any more.
    mutating func end(_ key: Key, _ span: FinishedSpan) -> Tree? {
        guard let root = roots[key] else { return Tree(root: key, nodes: [key: Node(name: span.name, span: span)]) }
        growing[root]?.nodes[key]?.name = span.name
        growing[root]?.nodes[key]?.span = span
        if root == key { return remove(root) }
        let parent = Key(key.traceID, span.parentSpanID)
        guard parent == root, let tree = growing[root], span.endUnixNanos >= tree.startUnixNanos,
            span.endUnixNanos - tree.startUnixNanos >= patienceNanos
        else { return nil }
        growing[root]?.nodes[root]?.children.removeAll { $0 == key }
        return Tree(root: key, nodes: take(key, from: root), parent: tree.nodes[root]?.name)
    }

    /// All trees, oldest first, in which something has ended.
    mutating func removeAll() -> [Tree] {
        growing.sorted { $0.value.number < $1.value.number }.compactMap { remove($0.key) }
    }

    /// Takes out a whole tree. What still runs in it will be shown alone. `nil` where nothing of it has ended.
    private mutating func remove(_ root: Key) -> Tree? {
        guard let tree = growing.removeValue(forKey: root) else { return nil }
        for key in tree.nodes.keys { roots[key] = nil }
        return tree.nodes.values.contains { $0.span != nil } ? Tree(root: root, nodes: tree.nodes) : nil
    }

    /// Takes `key` and all below it out of the tree of `root`.
    private mutating func take(_ key: Key, from root: Key) -> [Key: Node] {
        var taken: [Key: Node] = [:]
        var open = [key]
        while let next = open.popLast() {
            guard let node = growing[root]?.nodes.removeValue(forKey: next) else { continue }
            roots[next] = nil
            taken[next] = node
            open += node.children
        }
        return taken
    }
}

extension FinishedSpan {
    var endUnixNanos: UInt64 { recording.snapshot.endUnixNanos ?? recording.startUnixNanos }
}
