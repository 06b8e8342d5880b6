// SPDX-License-Identifier: Apache-2.0

/// Rows in aligned columns under dim headings.
struct Table {
    struct Column {
        var title: String
        var alignment = TerminalText.Alignment.left
        /// Gives way when the terminal is too narrow; the others never do.
        var isElastic = false
    }

    struct Cell {
        var text: String
        var style = Terminal.Style.plain

        /// A cell of text from anywhere.
        init(_ text: String, _ style: Terminal.Style = .plain) {
            self.text = TerminalText.harmless(text)
            self.style = style
        }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row, which must have a cell for each column.
    mutating func add(_ row: [Cell]) {
        precondition(row.count == columns.count)
        rows.append(row)
    }

    /// The lines of the table, none wider than a window unless the rigid columns alone are.
    func lines(on terminal: Terminal) -> [String] {
        let widths = widths(within: terminal.isWindow ? terminal.width : .max)
        let heading = columns.map { Cell($0.title, .dim) }
        return ([heading] + rows).map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let isLast = index == row.count - 1
                let ellipsis = terminal.hasUnicode ? "…" : "~"
                let text =
                    isLast && columns[index].alignment == .left
                    ? TerminalText.shortened(cell.text, widths[index], ellipsis: ellipsis)
                    : TerminalText.fitted(
                        cell.text,
                        widths[index],
                        alignment: columns[index].alignment,
                        ellipsis: ellipsis
                    )
                line += terminal.styled(text, cell.style) + (isLast ? "" : "  ")
            }
            return line
        }
    }

    private func widths(within width: Int) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(TerminalText.width(columns[index].title)) { max($0, TerminalText.width($1[index].text)) }
        }
        var excess = max(0, widths.reduce(0, +) + 2 * (columns.count - 1) - width)
        // The widest elastic column gives first, so that a short name beside a long one stays whole.
        while excess > 0,
            let widest = columns.indices.filter({ columns[$0].isElastic && widths[$0] > 8 })
                .max(by: { widths[$0] < widths[$1] })
        {
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }
}
