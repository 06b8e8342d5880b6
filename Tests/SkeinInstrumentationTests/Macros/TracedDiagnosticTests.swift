// SPDX-License-Identifier: Apache-2.0
#if Macros
    import SwiftDiagnostics
    import SwiftParser
    import SwiftSyntax
    import SwiftSyntaxMacroExpansion
    import SwiftSyntaxMacros
    import Testing

    @testable import SkeinMacroPlugin

    @Suite struct TracedDiagnosticTests {
        /// What is said about `source`, each with the text that it points at and what it offers to write there.
        private func diagnose(_ source: String) -> [(message: String, at: String, fix: String?)] {
            let context = BasicMacroExpansionContext()
            _ = Parser.parse(source: source).expand(macros: ["Traced": TracedMacro.self]) { _ in context }
            return context.diagnostics.map { diagnostic in
                let fix = diagnostic.fixIts.first?.changes.first.map { change in
                    if case .replace(_, let new) = change { new.description } else { "" }
                }
                return (diagnostic.message, diagnostic.node.trimmedDescription, fix)
            }
        }

        @Test func `what can be traced is not complained about`() {
            #expect(diagnose("@Traced func f() {}").isEmpty)
            #expect(
                diagnose(#"@Traced(attributes: [.argument("id"), .result]) func f(_ id: Int) -> Int { id }"#).isEmpty
            )
            #expect(diagnose("@Traced(attributes: [.argument(\"default\")]) func f(`default`: Int) {}").isEmpty)
        }

        @Test func `an initializer cannot be traced`() {
            let found = diagnose("struct S { @Traced init() {} }")
            #expect(
                found.map(\.message) == [
                    "@Traced does not work on an initializer: move what is to be traced into a function"
                ]
            )
            #expect(found.map(\.at) == ["@Traced"])
        }

        @Test func `an argument that does not exist is named, and the nearest offered`() {
            let found = diagnose(#"@Traced(attributes: [.argument("usrID")]) func f(_ userID: Int, to name: Int) {}"#)
            #expect(found.map(\.message) == ["'f' has no argument 'usrID'; did you mean 'userID'?"])
            #expect(found.map(\.at) == ["\"usrID\""])
            #expect(found.map(\.fix) == ["\"userID\""])
        }

        @Test func `the label of an argument leads to its name inside`() {
            let found = diagnose(#"@Traced(attributes: [.argument("for")]) func f(for identifier: Int) {}"#)
            #expect(found.map(\.message) == ["'f' has no argument 'for'; did you mean 'identifier'?"])
        }

        @Test func `without a near name all are named`() {
            let found = diagnose(#"@Traced(attributes: [.argument("color")]) func f(_ a: Int, _ b: Int) {}"#)
            #expect(found.map(\.message) == ["'f' has no argument 'color'; it has 'a', 'b'"])
            #expect(found.map(\.fix) == [nil])
        }

        @Test func `a function that gives nothing back has no result`() {
            let found = diagnose("@Traced(attributes: [.result]) func f() {}")
            #expect(found.map(\.message) == ["'f' gives nothing back that could be an attribute"])
            #expect(found.map(\.at) == [".result"])
        }

        @Test func `what the compiler cannot read is pointed at`() {
            let found = diagnose(
                #"@Traced(attributes: [.argument("a"), .argument("b", as: "a"), other, .argument(name)]) func f(a: Int, b: Int) {}"#
            )
            #expect(found.map(\.at) == ["\"b\"", "other", "name"])
            #expect(diagnose("@Traced(attributes: list) func f() {}").map(\.at) == ["list"])
        }
    }
#endif
