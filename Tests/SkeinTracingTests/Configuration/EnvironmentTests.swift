// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import SkeinModel
import SkeinRecording
import SkeinTracing
import Testing

@Suite struct EnvironmentTests {
    @Test func `an empty environment leaves the specification's defaults`() {
        let (configuration, problems) = resolve()
        #expect(problems.isEmpty)
        #expect(configuration == TracingConfiguration())
        #expect(configuration.propagators == [.traceContext, .baggage])
        #expect(configuration.sampler == .parentBased(root: .alwaysOn))
        #expect(configuration.otlp?.target?.description == "http://localhost:4318/v1/traces")
        #expect(configuration.batch?.queueSizeMax == 2048 && configuration.batch?.exportBatchSizeMax == 512)
        #expect(
            configuration.batch?.scheduledDelay == .seconds(5) && configuration.batch?.exportTimeout == .seconds(30)
        )
    }

    @Test func `a variable that is empty or blank is as one that is not set`() {
        let (configuration, problems) = resolve([
            "OTEL_PROPAGATORS": "", "OTEL_TRACES_SAMPLER": " ", "OTEL_BSP_MAX_QUEUE_SIZE": "", "OTEL_SDK_DISABLED": "",
            "OTEL_TRACES_EXPORTER": " , ", "OTEL_CONFIG_FILE": "",
        ])
        #expect(configuration == TracingConfiguration() && problems.isEmpty)
    }

    @Test(arguments: [
        ("true", true), ("TRUE", true), ("false", false), ("False", false),
    ])
    func `only true disables`(text: String, isDisabled: Bool) {
        let (configuration, problems) = resolve(["OTEL_SDK_DISABLED": text])
        #expect(configuration.isDisabled == isDisabled && problems.isEmpty)
    }

    @Test func `stack traces are recorded where the environment asks for them`() {
        let (configuration, problems) = resolve(["SKEIN_RECORD_STACK_TRACES": "true"])
        #expect(configuration.recordsStackTraces && problems.isEmpty)
        #expect(!TracingConfiguration().recordsStackTraces)
    }

    @Test func `a value that makes no sense is told and left out`() {
        let (configuration, problems) = resolve(["OTEL_SDK_DISABLED": "yes", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"])
        #expect(configuration == TracingConfiguration())
        #expect(
            problems == [
                "OTEL_SDK_DISABLED is ignored: \"yes\" is not one of true, false; false is used",
                "OTEL_BSP_MAX_QUEUE_SIZE is ignored: \"-1\" is not a whole number from 1 to 1048576; 2048 is used",
            ]
        )
    }

    @Test(arguments: [
        ("info", Logger.Level.info), ("WARN", .warning), ("error", .error), ("fatal", .critical), ("trace", .trace),
    ])
    func `levels have the names of OpenTelemetry`(text: String, level: Logger.Level) {
        #expect(resolve(["OTEL_LOG_LEVEL": text]).configuration.logLevel == level)
    }

    @Test(arguments: [
        ("b3", [PropagatorFormat.b3]),
        ("B3Multi, jaeger,xray", [.b3Multi, .jaeger, .xray]),
        ("baggage,tracecontext,baggage", [.baggage, .traceContext]),
        ("none", []),
    ])
    func `propagators keep their order, each once`(text: String, formats: [PropagatorFormat]) {
        let (configuration, problems) = resolve(["OTEL_PROPAGATORS": text])
        #expect(configuration.propagators == formats && problems.isEmpty)
    }

    @Test func `of several propagators the ones that are known are used`() {
        let (configuration, problems) = resolve(["OTEL_PROPAGATORS": "ottrace,b3mutli,none,baggage"])
        #expect(configuration.propagators == [.baggage])
        let known = "is not one of tracecontext, baggage, b3, b3multi, jaeger, xray"
        #expect(
            problems == [
                "OTEL_PROPAGATORS is ignored: \"ottrace\" \(known), none; the others are used",
                "OTEL_PROPAGATORS is ignored: \"b3mutli\" \(known): did you mean b3multi?, none; the others are used",
                "OTEL_PROPAGATORS is ignored: \"none\" stands alone or not at all; the others are used",
            ]
        )
    }

    @Test(arguments: [
        ("always_on", "", SamplerConfiguration.alwaysOn),
        ("Always_Off", "", .alwaysOff),
        ("traceidratio", "0.25", .traceIDRatio(0.25)),
        ("traceidratio", "", .traceIDRatio(1)),
        ("parentbased_always_on", "", .parentBased(root: .alwaysOn)),
        ("parentbased_always_off", "", .parentBased(root: .alwaysOff)),
        ("parentbased_traceidratio", "1e-3", .parentBased(root: .traceIDRatio(0.001))),
        ("probability", "0.5", .probability(0.5)),
        ("parentbased_ratelimiting", "10", .parentBased(root: .rateLimiting(tracesPerSecond: 10))),
        ("parentbased_jaeger_remote", "", .parentBased(root: .jaegerRemote)),
        (
            "jaeger_remote", "endpoint=http://agent:14250, pollingIntervalMs=5000,initialSamplingRate=0.25",
            .jaegerRemote(
                endpoint: "http://agent:14250",
                pollingInterval: .seconds(5),
                initial: .traceIDRatio(0.25)
            )
        ),
    ])
    func `each sampler is read with its argument`(name: String, argument: String, sampler: SamplerConfiguration) {
        let (configuration, problems) = resolve(["OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument])
        #expect(configuration.sampler == sampler && problems.isEmpty)
    }

    @Test(arguments: [
        (
            ["OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"],
            SamplerConfiguration.traceIDRatio(1),
            "OTEL_TRACES_SAMPLER_ARG is ignored: \"2\" is not a number from 0 to 1; 1.0 is used"
        ),
        (
            ["OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "nan"], .traceIDRatio(1),
            "OTEL_TRACES_SAMPLER_ARG is ignored: \"nan\" is not a number from 0 to 1; 1.0 is used"
        ),
        (
            ["OTEL_TRACES_SAMPLER_ARG": "0.5"], .parentBased(root: .alwaysOn),
            "OTEL_TRACES_SAMPLER_ARG is ignored: \"0.5\" belongs to OTEL_TRACES_SAMPLER, which is not set"
        ),
        (
            ["OTEL_TRACES_SAMPLER": "jaeger_remote", "OTEL_TRACES_SAMPLER_ARG": "pollingIntervalMs=soon"],
            .jaegerRemote,
            "OTEL_TRACES_SAMPLER_ARG is ignored: \"pollingIntervalMs=soon\" is not a whole number of milliseconds from 0 to "
                + "2147483647; 60.0 seconds is used"
        ),
        (
            ["OTEL_TRACES_SAMPLER": "jaeger_remote", "OTEL_TRACES_SAMPLER_ARG": "0.5"], .jaegerRemote,
            "OTEL_TRACES_SAMPLER_ARG is ignored: \"0.5\" is not one of endpoint=…, pollingIntervalMs=…, initialSamplingRate=…"
        ),
    ])
    func `an argument that makes no sense leaves its sampler`(
        environment: [String: String],
        sampler: SamplerConfiguration,
        problem: String
    ) {
        let (configuration, problems) = resolve(environment)
        #expect(configuration.sampler == sampler && problems == [problem])
    }

    @Test func `an unknown sampler leaves what was there, and a near one is named`() {
        let (configuration, problems) = resolve(["OTEL_TRACES_SAMPLER": "parentbased_allways_on"])
        #expect(configuration.sampler == .parentBased(root: .alwaysOn))
        #expect(problems.count == 1 && problems[0].contains("did you mean parentbased_always_on?"))
        #expect(resolve(["OTEL_TRACES_SAMPLER": "xray"]).problems.count == 1)
    }

    @Test func `each limit of a span has its variable`() {
        let (limits, problems) = {
            let resolved = resolve([
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "2",
                "OTEL_SPAN_EVENT_COUNT_LIMIT": "3", "OTEL_SPAN_LINK_COUNT_LIMIT": "4",
                "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "5", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "0",
            ])
            return (resolved.configuration.limits, resolved.problems)
        }()
        var expected = SpanLimits()
        expected.attributeCount = 1
        expected.attributeValueLength = 2
        expected.eventCount = 3
        expected.linkCount = 4
        expected.attributeCountPerEvent = 5
        expected.attributeCountPerLink = 0
        #expect(limits == expected && problems.isEmpty)
    }

    @Test func `limits of spans win over general ones`() {
        let general = ["OTEL_ATTRIBUTE_COUNT_LIMIT": "10", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "20"]
        #expect(resolve(general).configuration.limits.attributeCount == 10)
        #expect(resolve(general).configuration.limits.attributeValueLength == 20)
        let both = general.merging(["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "7"]) { $1 }
        #expect(resolve(both).configuration.limits.attributeCount == 7)
        let broken = general.merging(["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many"]) { $1 }
        #expect(resolve(broken).configuration.limits.attributeCount == 10)
        #expect(
            resolve(broken).problems == [
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT is ignored: \"many\" is not a whole number from 0 to 2147483647; 10 is used"
            ]
        )
    }

    @Test func `what has no limit keeps none`() {
        let (configuration, problems) = resolve(["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "-1"])
        #expect(configuration.limits == SpanLimits())
        #expect(problems.count == 1 && problems[0].hasSuffix("; no limit is used"))
    }

    @Test func `each variable has a line in the document`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "docs/sdk.md"), encoding: .utf8)
        #expect(EnvironmentNames.read.count == 48)
        #expect(EnvironmentNames.read.filter { !document.contains("\n| `\($0)` |") }.isEmpty)
    }

    @Test func `names that are almost those of variables are told, others are not`() {
        let (_, problems) = resolve([
            "OTEL_TRACE_SAMPLER": "always_on", "OTEL_BLRP_SCHEDULE_DELAY": "1", "OTEL_PYTHON_THING": "1",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://a", "TRACES_SAMPLER": "x",
        ])
        #expect(
            problems == [
                "OTEL_TRACE_SAMPLER is ignored: it is the name of no variable: did you mean OTEL_TRACES_SAMPLER?"
            ]
        )
    }
}
