// SPDX-License-Identifier: Apache-2.0

/// How far reading is, on one line of standard error that is written over; nothing where no terminal shows it.
struct ProgressLine {
    private let isShown = Terminal.isStandardErrorShown
    private var last = ContinuousClock.now

    /// Says that so many bytes of all are read. A line a tenth of a second is enough.
    mutating func show(_ byteCount: Int, of total: Int) {
        show {
            let percent = total > 0 ? min(100, byteCount / max(1, total / 100)) : 0
            return "\(percent) %, \(Figures.bytes(byteCount)) of \(Figures.bytes(total))"
        }
    }

    /// Shows a line, where it is time for one.
    mutating func show(_ text: () -> String) {
        guard isShown, last.duration(to: .now) > .milliseconds(100) else { return }
        last = .now
        CommandOutput.progress(text())
    }

    /// Takes the line away.
    func end() {
        if isShown { CommandOutput.progress("") }
    }
}
