// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The table of modules in `Package.swift`, read as text: SwiftPM offers no way to ask a manifest for it from a test.
struct ModuleTable {
    /// One row, and the comment above it that names its floor.
    struct Row {
        var name: String
        var floor: String
        var imports: [String]
        var products: [String]
    }

    var modules: [Row]
    var tests: [Row]

    init() throws {
        let manifest = try String(contentsOf: House.root.appending(path: "Package.swift"), encoding: .utf8)
        modules = Self.rows(of: "modules", in: manifest)
        tests = Self.rows(of: "tests", in: manifest)
    }

    /// The rows of `let <name>: [Module] = [ … ]`.
    private static func rows(of name: String, in manifest: String) -> [Row] {
        guard let start = manifest.range(of: "let \(name): [Module] = ["),
            let end = manifest.range(of: "\n]\n", range: start.upperBound..<manifest.endIndex)
        else { return [] }
        var floor = ""
        var rows: [Row] = []
        for piece in manifest[start.upperBound..<end.lowerBound].split(separator: "Module(") {
            if let row = row(in: piece, floor: floor) { rows.append(row) }
            // A comment line behind a row names the floor of the rows that follow.
            for line in piece.split(separator: "\n") {
                let line = line.trimmingCharacters(in: .whitespaces)
                if line.hasPrefix("// ") { floor = String(line.dropFirst(3)) }
            }
        }
        return rows
    }

    private static func row(in piece: Substring, floor: String) -> Row? {
        guard let name = piece.firstMatch(of: /name:\s*"([^"]+)"/)?.1 else { return nil }
        func list(_ label: String) -> [String] {
            guard let start = piece.range(of: "\(label): ["), let end = piece[start.upperBound...].firstIndex(of: "]")
            else { return [] }
            return piece[start.upperBound..<end].matches(of: /"([^"]+)"/).map { String($0.1) }
        }
        return Row(name: String(name), floor: floor, imports: list("imports"), products: list("products"))
    }
}
