// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The floors of the house: the table in `Package.swift` is sound, and every `import` keeps to it.
struct FloorTests {
    static let table = Result { try ModuleTable() }

    /// What the toolchain brings, as far as a floor may lean on it. Ground and contracts do without Foundation,
    /// Dispatch and Runtime, so that the SDK built on them stays small.
    static func toolchain(on floor: String) -> Set<String> {
        let always: Set = ["Swift", "Synchronization", "Glibc", "Musl", "Darwin", "Builtin"]
        return ["ground", "contracts"].contains(floor)
            ? always : always.union(["Foundation", "FoundationEssentials", "Dispatch", "Runtime"])
    }

    @Test func `the table of modules can be read`() throws {
        let table = try Self.table.get()
        #expect(table.modules.count >= 15)
        #expect(table.modules.first?.name == "SkeinBase")
        #expect(table.modules.first { $0.name == "SkeinReceivers" }?.products.contains("NIOCore") == true)
        #expect(Set(table.modules.map(\.floor)).isSuperset(of: ["ground", "contracts", "organs", "doors", "roof"]))
        #expect(table.tests.contains { $0.name == "SkeinTidyTests" })
    }

    @Test func `a row imports only rows above it`() throws {
        let table = try Self.table.get()
        var above: Set<String> = []
        for row in table.modules {
            for name in row.imports {
                #expect(above.contains(name), "\(row.name) imports \(name), which stands below it or nowhere")
            }
            above.insert(row.name)
        }
    }

    @Test func `organs and doors do not know their neighbours`() throws {
        let table = try Self.table.get()
        for row in table.modules where ["organs", "doors"].contains(row.floor) {
            let neighbours = table.modules.filter { $0.floor == row.floor }.map(\.name)
            for name in row.imports where !(row.name == "SkeinAgents" && name == "SkeinAnalysis") {
                #expect(!neighbours.contains(name), "\(row.name) imports \(name) on its own floor")
            }
        }
    }

    @Test func `every folder in Sources and Tests has its row`() throws {
        let table = try Self.table.get()
        for (folder, rows) in [("Sources", table.modules), ("Tests", table.tests)] {
            let present = try FileManager.default.contentsOfDirectory(
                at: House.root.appending(path: folder),
                includingPropertiesForKeys: [.isDirectoryKey]
            )
            for url in present where try url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true {
                let name = url.lastPathComponent
                let isSwift = try !House.files(in: "\(folder)/\(name)", ending: [".swift"]).isEmpty
                guard isSwift || folder == "Sources" else { continue }
                #expect(rows.contains { $0.name == name }, "\(folder)/\(name) has no row in Package.swift")
            }
        }
    }

    @Test func `every import is one that the row of its module names`() throws {
        let table = try Self.table.get()
        for (folder, rows) in [("Sources", table.modules), ("Tests", table.tests)] {
            for row in rows {
                let allowed = Self.toolchain(on: row.floor).union(row.imports).union(row.products)
                    .union(folder == "Tests" ? ["Testing"] : [])
                let place =
                    switch row.name {
                    case "SkeinFuzz": "Fuzz"
                    case "OrderService", "InventoryService": "Examples/\(row.name)"
                    default: "\(folder)/\(row.name)"
                    }
                for file in try House.files(in: place, ending: [".swift"]) {
                    for name in Self.imports(in: file.text) {
                        #expect(
                            allowed.contains(name),
                            "\(file) imports \(name), which the row of \(row.name) does not name"
                        )
                    }
                }
            }
        }
    }

    /// The modules that a Swift file imports, in whatever access, attributes or kind of declaration.
    static func imports(in text: String) -> [String] {
        let access = "(?:(?:public|package|internal|fileprivate|private) +)?"
        let kind = "(?:(?:typealias|struct|class|enum|protocol|let|var|func|actor) +)?"
        guard
            let pattern = try? Regex(
                "^ *(?:@\\w+(?:\\([^)]*\\))? +)*\(access)import +\(kind)(\\w+)",
                as: (Substring, Substring).self
            )
        else { return [] }
        return text.matches(of: pattern.anchorsMatchLineEndings()).map { String($0.1) }
    }

    @Test func `imports are found in every form`() {
        // The word is put in afterwards, so that this file does not seem to import these.
        let text = """
            @ A
            public @ B
            @testable @ C
            @preconcurrency package @ D
            @ struct E.Thing
            @_spi(Inner) internal @ F
            // @ Comment
            let @ant = 1
            """.replacing("@ ", with: "import ").replacing("@ant", with: "important")
        #expect(Self.imports(in: text) == ["A", "B", "C", "D", "E", "F"])
    }
}
