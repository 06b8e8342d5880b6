// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// How the text of one setting is read, the same from the environment and from the file.
struct ValueForm<Value> {
    /// What is allowed, to follow "is not".
    let expected: String
    /// Whether values are never shown.
    var isSecret = false
    /// `nil` for what is not allowed.
    let parse: (String) -> Value?
    /// A value as it would be written.
    let show: (Value) -> String
    /// The allowed words, where there are only some.
    var words: [String] = []

    /// What is wrong with `text`, which cannot be read.
    func reason(_ text: String) -> String {
        let hint = Spelling.nearest(to: text, among: words).map { ": did you mean \($0)?" } ?? ""
        return "is not \(expected)\(hint)"
    }

    /// The same, of a value that may be missing.
    var optional: ValueForm<Value?> {
        ValueForm<Value?>(
            expected: expected,
            isSecret: isSecret,
            parse: { text in parse(text).map(Optional.some) },
            show: { $0.map(show) ?? "the default" },
            words: words
        )
    }
}

extension ValueForm where Value == Int {
    static func wholeNumber(_ range: ClosedRange<Int>) -> Self {
        Self(
            expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } },
            show: { $0 == .max ? "no limit" : "\($0)" }
        )
    }

    /// A limit of how much a span may hold.
    static var limit: Self { wholeNumber(0...Int(Int32.max)) }
}

extension ValueForm where Value == Duration {
    static var milliseconds: Self {
        Self(
            expected: "a whole number of milliseconds from 0 to \(Int32.max)",
            parse: { Int32($0).flatMap { $0 >= 0 ? .milliseconds($0) : nil } },
            show: \.description
        )
    }
}

extension ValueForm where Value == Double {
    static var ratio: Self {
        Self(
            expected: "a number from 0 to 1",
            parse: { Double($0).flatMap { (0...1).contains($0) ? $0 : nil } },
            show: \.description
        )
    }

    static var positive: Self {
        Self(
            expected: "a number above 0",
            parse: { Double($0).flatMap { $0 > 0 && $0.isFinite ? $0 : nil } },
            show: \.description
        )
    }
}

extension ValueForm where Value == Bool {
    static var boolean: Self { choice([("true", true), ("false", false)]) }
}

extension ValueForm where Value: Equatable {
    /// One of some words, in any case. Of several for a value the first is shown.
    static func choice(_ words: [(word: String, value: Value)]) -> Self {
        Self(
            expected: "one of " + words.map(\.word).joined(separator: ", "),
            parse: { text in words.first { $0.word == text.lowercased() }?.value },
            show: { value in words.first { $0.value == value }?.word ?? "another" },
            words: words.map(\.word)
        )
    }
}

extension ValueForm where Value: Equatable & CaseIterable & RawRepresentable<String> {
    static var choice: Self { choice(Value.allCases.map { ($0.rawValue, $0) }) }
}

extension ValueForm where Value == String {
    /// Any text.
    static var text: Self { Self(expected: "a text", parse: { $0 }, show: { $0 }) }

    static var secret: Self { Self(expected: "a text", isSecret: true, parse: { $0 }, show: { _ in "another" }) }

    /// An address; `standard` is the scheme of one that names none.
    static func endpoint(_ standard: Endpoint.Scheme? = nil) -> Self {
        Self(
            expected: standard == nil
                ? "an address such as http://host:4318/path, without a user"
                : "an address such as http://host:4317 or host:4317",
            parse: { Endpoint($0, scheme: standard) == nil ? nil : $0 },
            show: { $0.withoutAddressSecrets(mark: "…") }
        )
    }
}
