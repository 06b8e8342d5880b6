// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinPipeline
import Testing

@Suite("Configuration of sampling at the door")
struct HeadConfigurationTests {
    typealias Node = ConfigurationNode

    /// A rule that begins on `line`, a key a line.
    private static func rule(_ line: Int, _ pairs: KeyValuePairs<String, String>) -> Node {
        Node(
            .map(
                pairs.enumerated().map { offset, pair in
                    (pair.key, line + offset, Node(.scalar(pair.value), line: line + offset))
                }
            ),
            line: line
        )
    }

    private static func block(_ rules: [Node]) -> Node {
        Node(.map([("rules", 2, Node(.list(rules), line: 3))]), line: 2)
    }

    @Test("Rules are read in their order, with what they are about and what they do")
    func reads() throws {
        let attributes = Node(.map([("client", 9, Node(.scalar("mobile"), line: 9))]), line: 8)
        var third = Self.rule(7, ["service": "shop*", "sampler": "probabilistic", "percent": "12.5"])
        if case .map(let pairs) = third.content { third.content = .map(pairs + [("attributes", 8, attributes)]) }
        let rules = try HeadConfiguration(
            Self.block([
                Self.rule(3, ["name": "wanted", "priority_min": "1", "sampler": "always_on"]),
                Self.rule(5, ["operation": "GET /health", "sampler": "always_off"]),
                third,
                Self.rule(10, ["operation": "x", "sampler": "probabilistic", "percent": "50", "hash_salt": "a"]),
                Self.rule(14, ["sampler": "rate_limiting", "traces_per_second": "0.5"]),
            ])
        ).rules
        var wanted = HeadRule.Match()
        wanted.priority = 1...Double.infinity
        var health = HeadRule.Match()
        health.operation = Wildcard("GET /health")
        var mobile = HeadRule.Match()
        mobile.service = Wildcard("shop*")
        mobile.attributes = [.init(key: "client", value: "mobile")]
        var hashed = HeadRule.Match()
        hashed.operation = Wildcard("x")
        #expect(
            rules == [
                HeadRule(name: "wanted", match: wanted, sampler: .alwaysOn),
                HeadRule(name: "rule-2", match: health, sampler: .alwaysOff),
                HeadRule(name: "rule-3", match: mobile, sampler: .probabilistic(0.125)),
                HeadRule(name: "rule-4", match: hashed, sampler: .hashed(0.5, salt: "a")),
                HeadRule(name: "rule-5", sampler: .rateLimiting(0.5)),
            ]
        )
    }

    private static let refused: [(rules: [Node], message: String, line: Int)] = [
        ([], "rules is empty", 3),
        ([rule(3, ["service": "a"])], "lacks sampler", 3),
        ([rule(3, ["sampler": "sometimes"])], "sampler is sometimes", 3),
        ([rule(3, ["sampler": "probabilistic"])], "lacks percent", 3),
        ([rule(3, ["sampler": "probabilistic", "percent": "101"])], "percent is 101", 4),
        ([rule(3, ["sampler": "rate_limiting", "percent": "10"])], "lacks traces_per_second", 3),
        ([rule(3, ["sampler": "always_on", "percent": "10"])], "percent is nothing", 4),
        ([rule(3, ["sampler": "always_on", "servce": "a"])], "did you mean service?", 4),
        ([rule(3, ["priority_min": "2", "priority_max": "1", "sampler": "always_on"])], "no span has both", 3),
        (
            [rule(3, ["sampler": "always_on"]), rule(4, ["service": "a", "sampler": "always_off"])],
            "never reached, since rule-1 on line 3", 4
        ),
        (
            [rule(3, ["service": "a", "sampler": "always_on"]), rule(5, ["service": "a", "sampler": "always_off"])],
            "never reached, since rule-1 on line 3 is about all its spans", 5
        ),
        (
            [
                rule(3, ["service": "sh*", "sampler": "always_on"]),
                rule(5, ["service": "shop", "sampler": "always_off"]),
            ],
            "never reached, since rule-1", 5
        ),
        (
            [
                rule(3, ["operation": "*", "sampler": "always_on"]),
                rule(5, ["operation": "GET *", "priority_min": "1", "sampler": "always_off"]),
            ],
            "never reached, since rule-1", 5
        ),
        (
            [
                rule(3, ["priority_min": "0", "sampler": "always_on"]),
                rule(5, ["priority_min": "1", "priority_max": "2", "sampler": "always_off"]),
            ],
            "never reached, since rule-1", 5
        ),
        (
            [
                rule(3, ["name": "x", "service": "a", "sampler": "always_on"]),
                rule(6, ["name": "x", "service": "b", "sampler": "always_off"]),
            ],
            "two rules have the name x", 6
        ),
    ]

    @Test("A narrower rule before a wider one is reached, and so is its neighbour")
    func narrower() throws {
        let rules = [
            Self.rule(3, ["service": "shop", "sampler": "always_on"]),
            Self.rule(5, ["service": "sh*", "sampler": "always_off"]),
            Self.rule(7, ["service": "s*p", "operation": "a", "sampler": "always_off"]),
            Self.rule(9, ["sampler": "always_on"]),
        ]
        #expect(try HeadConfiguration(Self.block(rules)).rules.count == 4)
    }

    @Test("Rules that contradict themselves or each other are refused with the line", arguments: refused.indices)
    func refuses(_ index: Int) {
        let (rules, message, line) = Self.refused[index]
        let failure = #expect(throws: Node.Failure.self) { try HeadConfiguration(Self.block(rules)) }
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
        #expect(failure?.line == line)
    }
}
