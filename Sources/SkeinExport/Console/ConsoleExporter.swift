// SPDX-License-Identifier: Apache-2.0
public import SkeinPropagation
public import SkeinRecording
import Synchronization

/// Shows spans where a developer looks: on a terminal as trees, otherwise as a line of JSON for each.
///
/// A tree is shown as a whole when the span on top of it ends, not line by line: children end before their parents, and
/// requests at the same time would be shuffled into each other. Below a span that has run for five seconds, such as one around
/// a whole program, what ends is shown by itself. Ten thousand spans are held at most; then the oldest tree is shown as it is.
///
/// It is a processor, and meant to stand beside one that exports.
public final class ConsoleExporter: SpanProcessor {
    /// What is shown.
    public enum Form: Hashable, Sendable {
        case tree(isColored: Bool)
        /// A line of JSON for each span when it ends, which `skein import` reads.
        case lines

        /// A tree if standard output is a terminal, coloured unless `NO_COLOR` is set or `TERM` is `dumb`; otherwise lines.
        public static var automatic: Form {
            StandardOutput.isTerminal ? .tree(isColored: StandardOutput.hasColors) : .lines
        }
    }

    private let form: Form
    private let trees: Mutex<TraceTrees>
    private let text: TreeText
    private let output: ConsoleOutput

    /// Shows spans on standard output.
    public convenience init(form: Form = .automatic) {
        self.init(form: form, write: { StandardOutput.write($0) })
    }

    /// Shows spans by `write`, which is handed whole lines by one thread at a time, may wait, and answers whether anybody reads:
    /// after `false` it is not called again.
    public convenience init(form: Form, write: @escaping @Sendable ([UInt8]) -> Bool) {
        self.init(form: form, clock: { StandardOutput.localTime($0) }, write: write)
    }

    package init(
        form: Form,
        spanCountMax: Int = 10_000,
        patienceNanos: UInt64 = 5_000_000_000,
        pendingByteCountMax: Int = 1 << 20,
        clock: @escaping @Sendable (Int64) -> (hour: Int, minute: Int, second: Int),
        write: @escaping @Sendable ([UInt8]) -> Bool
    ) {
        self.form = form
        trees = Mutex(TraceTrees(spanCountMax: spanCountMax, patienceNanos: patienceNanos))
        var isColored = false
        if case .tree(let colors) = form { isColored = colors }
        text = TreeText(isColored: isColored, clock: clock)
        let isLines = form == .lines
        output = ConsoleOutput(
            byteCountMax: pendingByteCountMax,
            note: {
                isLines ? "{\"droppedSpans\":\($0)}\n" : "… \($0) spans are not shown: the terminal is too slow\n"
            },
            write: write
        )
    }

    public var wantsStart: Bool { form != .lines }

    public func onStart(_ span: SkeinSpan, parent: SpanContext?) {
        guard let context = span.spanContext, context.flags.contains(.sampled), let start = span.startUnixNanos else {
            return
        }
        let displaced = trees.withLock { trees in
            trees.start(
                TraceTrees.Key(context),
                name: span.operationName,
                parent: parent.flatMap { $0.isRemote ? nil : TraceTrees.Key($0) },
                atUnixNanos: start
            )
        }
        if let displaced { show(displaced) }
    }

    public func onEnd(_ span: FinishedSpan) {
        guard span.isSampled else { return }
        if form == .lines { return output.append(SpanLine.bytes(of: span), spanCount: 1) }
        if let tree = trees.withLock({ $0.end(TraceTrees.Key(span.spanContext), span) }) { show(tree) }
    }

    /// Waits until all that was shown is written. Trees that still grow are not shown.
    public func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult { output.flush(by: deadline) }

    /// Shows what there is, also of trees that still grow.
    public func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult {
        for tree in trees.withLock({ $0.removeAll() }) { show(tree) }
        return output.flush(by: deadline)
    }

    private func show(_ tree: TraceTrees.Tree) {
        output.append(Array(text.text(of: tree).utf8), spanCount: tree.nodes.values.count { $0.span != nil })
    }
}
