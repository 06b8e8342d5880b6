// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinTracing
import Testing

@Suite struct SubstitutionTests {
    private let environment = [
        "A": "one", "B": "$${A}", "EMPTY": "", "NUMBER": "7", "YAML": "x\ntype: int", "_u1": "under",
    ]

    /// The attribute `x` of a file that says so.
    private func value(_ yaml: String) -> (value: AttributeValue?, problems: [String]) {
        let file = "file_format: '1.0'\nresource:\n  attributes:\n    - name: x\n      value: \(yaml)"
        let (configuration, problems) = resolve(environment, file: file)
        return (configuration.resourceAttributes["x"], problems)
    }

    @Test(arguments: [
        ("${A}", "one"),
        ("${env:A}", "one"),
        ("${_u1}", "under"),
        ("a${A}b${A}c", "aonebonec"),
        ("${NONE:-two words}", "two words"),
        ("${EMPTY:-two}", "two"),
        ("${A:-two}", "one"),
        ("${NONE:-a:-b}", "a:-b"),
        ("${B}", "$${A}"),
        ("$${A}", "${A}"),
        ("$$${A}", "$one"),
        ("$A $", "$A $"),
        ("'${NONE}'", ""),
        ("\"${A}\"", "one"),
        ("${YAML}", "x\ntype: int"),
    ])
    func `variables are put in once, and are never more than text`(yaml: String, text: String) {
        let (value, problems) = value(yaml)
        #expect(value == .string(text) && problems.isEmpty)
    }

    @Test(arguments: ["${NONE}", "${EMPTY}", "${NONE:-}", "${NONE:-null}", "${NONE:-~}"])
    func `a plain value of nothing is null`(yaml: String) {
        let (value, problems) = value(yaml)
        #expect(value == nil && problems.isEmpty)
    }

    @Test func `what is put in is typed as if it stood there`() {
        let (value, problems) = value("${NUMBER}\n      type: int")
        #expect(value == .int(7) && problems.isEmpty)
    }

    @Test func `names are not substituted`() {
        let (configuration, _) = resolve(
            environment,
            file: "file_format: '1.0'\n${A}: 1\nresource: {attributes_list: 'k=${A}'}"
        )
        #expect(configuration.resourceAttributes == ["k": "one"])
    }

    @Test(arguments: ["${A", "${A:?none}", "${1A}", "${}", "${sys:A}", "${A B}", "${:-x}"])
    func `a reference that cannot be read is told, and is nothing`(yaml: String) {
        let (value, problems) = value("\"\(yaml)\"")
        #expect(value == nil)
        #expect(problems.count == 1 && problems[0].hasPrefix("line 5 of /otel.yaml: a value is ignored: it has ${"))
    }
}

@Suite struct ConfigurationTreeTests {
    @Test func `an alias stands for its anchor, and can be merged`() {
        let (configuration, problems) = resolve(
            file: """
                file_format: "1.0"
                exporters:
                  otlp: &otlp
                    endpoint: http://collector/v1/traces
                    timeout: 1000
                tracer_provider:
                  processors:
                    - batch: {exporter: {otlp_http: *otlp}}
                    - simple: {exporter: {otlp_http: {<<: *otlp, timeout: 2000}}}
                """
        )
        #expect(problems.isEmpty)
        let exporters = configuration.processors.map(\.exporter)
        var otlp = OTLPConfiguration()
        otlp.endpoint = "http://collector/v1/traces"
        otlp.timeout = .seconds(1)
        #expect(exporters[0] == .otlp(otlp))
        otlp.timeout = .seconds(2)
        #expect(exporters[1] == .otlp(otlp))
    }

    @Test func `aliases of aliases do not make a small file large`() {
        var yaml = "a0: &a0 [x, x]\n"
        for level in 1...24 { yaml += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        let many = resolve(file: yaml)
        #expect(many.configuration == TracingConfiguration())
        #expect(
            many.problems == [
                "line 14 of /otel.yaml: the whole file is ignored: there are more than 24 aliases: write out what they stand for"
            ]
        )
        var wide = "a0: &a0 [\(String(repeating: "x,", count: 500))]\n"
        for level in 1...4 { wide += "a\(level): &a\(level) [\(String(repeating: "*a\(level - 1),", count: 5))]\n" }
        let parts = resolve(file: wide)
        #expect(parts.problems.count == 1 && parts.problems[0].contains("there are more than 20000 parts"))
    }

    @Test func `a file that lies deep is refused`() {
        let yaml = "a: " + String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(
            resolve(file: yaml).problems == [
                "line 1 of /otel.yaml: the whole file is ignored: this lies more than 32 deep"
            ]
        )
        let deeper = String(repeating: "[", count: 100_000)
        #expect(resolve(file: deeper).problems.count == 1)
    }

    @Test(arguments: [
        "", "\u{0}", "%", "&", "*", "!!", "? [a]\n: b", "{[a]: b}", "---\n---\n", "\u{feff}", "- !<x> y", "<<: 5",
    ])
    func `no text is a trap`(yaml: String) {
        #expect(resolve(file: yaml).configuration == TracingConfiguration())
    }
}
