// SPDX-License-Identifier: Apache-2.0
import SkeinTracing
import Testing

@Suite struct NameFilterTests {
    @Test(arguments: [
        ("host.name", "host.name", true), ("host.name", "host.*", true), ("host.name", "*", true), ("", "*", true),
        ("host.name", "*name", true), ("host.name", "h?st.*e", true), ("host.name", "host", false),
        ("host.name", "host.name?", false), ("abab", "*ab", true), ("aab", "a*ab", true), ("b", "a*", false),
        ("", "", true), ("a", "", false), ("a", "?*?", false),
    ])
    func `a pattern is matched whole`(name: String, pattern: String, matches: Bool) {
        #expect(NameFilter(included: [pattern]).takes(name) == matches)
    }

    @Test func `what is excluded is out even if it is included`() {
        #expect(!NameFilter(included: ["a"], excluded: ["a"]).takes("a"))
        #expect(NameFilter().takes("a") && !NameFilter(included: []).takes("a"))
    }

    @Test func `stars do not make it slow`() {
        let filter = NameFilter(included: [String(repeating: "*a", count: 30) + "b"])
        #expect(!filter.takes(String(repeating: "a", count: 2_000)))
    }
}
