// SPDX-License-Identifier: Apache-2.0

/// The answer to a query of series, as far as it is listed.
struct SeriesAnswer: Decodable {
    var series: [Series]
    var truncated: Bool
    var stepNanos: String

    struct Series: Decodable {
        var labels: [Label]
        var values: [Double?]
    }

    struct Label: Decodable {
        var name: String
        var value: String?
    }

    /// One line for each series: its labels, its course, and what it comes to.
    func table(on terminal: Terminal) -> Table {
        var table = Table([
            .init(title: "SERIES", isElastic: true), .init(title: "COURSE"), .init(title: "LEAST", alignment: .right),
            .init(title: "AVERAGE", alignment: .right), .init(title: "GREATEST", alignment: .right),
            .init(title: "LAST", alignment: .right),
        ])
        for one in series {
            let numbers = one.values.compactMap(\.self)
            let name = one.labels.map { label in
                label.name == "__name__" ? label.value ?? "" : "\(label.name)=\(label.value ?? "nil")"
            }
            table.add([
                .init(name.joined(separator: " "), .bold),
                .init(Self.course(one.values, width: 40, hasUnicode: terminal.hasUnicode)),
                .init(numbers.min().map(Self.text) ?? "–", .dim),
                .init(numbers.isEmpty ? "–" : Self.text(numbers.reduce(0, +) / Double(numbers.count))),
                .init(numbers.max().map(Self.text) ?? "–"), .init(one.values.last?.map(Self.text) ?? "–", .dim),
            ])
        }
        return table
    }

    /// Values as bars of eight heights, several to a bar when there are many.
    static func course(_ values: [Double?], width: Int, hasUnicode: Bool) -> String {
        let greatest = values.compactMap(\.self).max() ?? 0
        let bars = Array(hasUnicode ? "▁▂▃▄▅▆▇█" : "_.-=+*#@")
        let count = min(width, values.count)
        guard count > 0 else { return "" }
        var out = ""
        for place in 0..<count {
            let part = values[(place * values.count / count)..<((place + 1) * values.count / count)].compactMap(\.self)
            guard let top = part.max() else {
                out += " "
                continue
            }
            let height = greatest > 0 ? Int((top / greatest * 7).rounded()) : 0
            out.append(bars[max(0, min(7, height))])
        }
        return out
    }

    /// Three digits.
    static func text(_ number: Double) -> String {
        guard number.isFinite else { return "\(number)" }
        let size = number.magnitude
        if size >= 1_000_000 { return "\((number / 10_000).rounded() / 100)M" }
        if size >= 10_000 { return "\((number / 10).rounded() / 100)k" }
        let places = size >= 100 ? 1.0 : size >= 10 ? 10.0 : size >= 1 ? 100.0 : size >= 0.01 ? 10_000.0 : 10_000_000.0
        let cut = (number * places).rounded() / places
        return cut == cut.rounded() ? String(Int(cut)) : "\(cut)"
    }
}
