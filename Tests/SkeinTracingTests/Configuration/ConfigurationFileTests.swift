// SPDX-License-Identifier: Apache-2.0
import Logging
import SkeinModel
import SkeinRecording
import SkeinTracing
import Testing
import Tracing

@Suite struct ConfigurationFileTests {
    @Test func `everything that format 1 can say is read`() {
        let (configuration, problems) = resolve(
            file: """
                file_format: "1.0"
                disabled: true
                log_level: warn3
                attribute_limits:
                  attribute_count_limit: 50
                  attribute_value_length_limit: 4096
                resource:
                  attributes:
                    - name: service.name
                      value: shop
                    - {name: replicas, value: 3, type: int}
                    - {name: zones, value: [a, b], type: string_array}
                  attributes_list: "service.name=other,team=web%20shop"
                  schema_url: https://example.com/schema
                  detection/development:
                    attributes:
                      included: ["process.*", "host.*"]
                      excluded: [process.pid]
                    detectors:
                      - process:
                      - host:
                propagator:
                  composite:
                    - tracecontext:
                    - b3:
                  composite_list: "b3,jaeger"
                tracer_provider:
                  processors:
                    - batch:
                        schedule_delay: 1000
                        export_timeout: 2000
                        max_queue_size: 300
                        max_export_batch_size: 30
                        exporter:
                          otlp_http:
                            endpoint: https://collector/v1/traces
                            tls: {ca_file: /ca.pem, key_file: /key.pem, cert_file: /client.pem}
                            headers:
                              - {name: Api-Key, value: "1"}
                              - {name: absent, value: null}
                            headers_list: "api-key=0,other=a%2Cb"
                            compression: gzip
                            timeout: 3000
                            encoding: json
                    - simple:
                        exporter:
                          console:
                  limits:
                    attribute_count_limit: 40
                    event_count_limit: 7
                    link_count_limit: 6
                    event_attribute_count_limit: 5
                    link_attribute_count_limit: 4
                  sampler:
                    parent_based:
                      root: {trace_id_ratio_based: {ratio: 0.25}}
                      remote_parent_not_sampled: {always_on: }
                      local_parent_sampled: {always_off: null}
                meter_provider:
                  readers: []
                """
        )
        #expect(problems.isEmpty)
        #expect(configuration.isDisabled && configuration.logLevel == .warning && configuration.serviceName == "shop")
        #expect(
            configuration.resourceAttributes == [
                "service.name": "shop", "replicas": 3, "zones": ["a", "b"], "team": "web shop",
            ]
        )
        #expect(configuration.resourceSchemaURL == "https://example.com/schema")
        #expect(configuration.detectors == [.process, .host, .os])
        #expect(
            configuration.detectedAttributes
                == NameFilter(included: ["process.*", "host.*"], excluded: ["process.pid"])
        )
        #expect(configuration.propagators == [.traceContext, .b3, .jaeger])

        var otlp = OTLPConfiguration()
        otlp.transport = .httpJSON
        otlp.endpoint = "https://collector/v1/traces"
        otlp.certificateFile = "/ca.pem"
        otlp.clientKeyFile = "/key.pem"
        otlp.clientCertificateFile = "/client.pem"
        otlp.headers = ["api-key": "1", "other": "a,b"]
        otlp.compression = .gzip
        otlp.timeout = .seconds(3)
        var batch = BatchConfiguration()
        batch.scheduledDelay = .seconds(1)
        batch.exportTimeout = .seconds(2)
        batch.queueSizeMax = 300
        batch.exportBatchSizeMax = 30
        #expect(
            configuration.processors == [
                SpanProcessorConfiguration(.otlp(otlp), batch: batch), SpanProcessorConfiguration(.console, batch: nil),
            ]
        )

        var limits = SpanLimits()
        limits.attributeCount = 40
        limits.attributeValueLength = 4096
        limits.eventCount = 7
        limits.linkCount = 6
        limits.attributeCountPerEvent = 5
        limits.attributeCountPerLink = 4
        #expect(configuration.limits == limits)
        #expect(
            configuration.sampler
                == .parentBased(
                    root: .traceIDRatio(0.25),
                    remoteParentNotSampled: .alwaysOn,
                    localParentSampled: .alwaysOff
                )
        )
    }

    @Test func `format 0_4 has the files of TLS beside the others, and plain names of propagators`() {
        let (configuration, problems) = resolve(
            file: """
                file_format: "0.4"
                propagator:
                  composite: [baggage, xray]
                tracer_provider:
                  processors:
                    - batch:
                        exporter:
                          otlp_grpc:
                            endpoint: collector:4317
                            certificate_file: /ca.pem
                            client_key_file: /key.pem
                            client_certificate_file: /client.pem
                            insecure: true
                    - simple:
                        exporter:
                          zipkin: {endpoint: "http://zipkin:9411/api/v2/spans", timeout: 0}
                """
        )
        var otlp = OTLPConfiguration()
        otlp.transport = .grpc
        otlp.endpoint = "collector:4317"
        otlp.isInsecure = true
        otlp.certificateFile = "/ca.pem"
        otlp.clientKeyFile = "/key.pem"
        otlp.clientCertificateFile = "/client.pem"
        var zipkin = ZipkinConfiguration()
        zipkin.endpoint = "http://zipkin:9411/api/v2/spans"
        zipkin.timeout = .zero
        #expect(problems.isEmpty && configuration.propagators == [.baggage, .xray])
        #expect(
            configuration.processors == [
                SpanProcessorConfiguration(.otlp(otlp)), SpanProcessorConfiguration(.zipkin(zipkin), batch: nil),
            ]
        )
        #expect(configuration.otlp?.target?.description == "http://collector:4317/")
    }

    @Test(arguments: [
        ("always_on", SamplerConfiguration.alwaysOn),
        ("{always_off: {}}", .alwaysOff),
        ("{trace_id_ratio_based: }", .traceIDRatio(1)),
        ("{probability/development: {ratio: 0.5}}", .probability(0.5)),
        ("{parent_based: }", .parentBased(root: .alwaysOn)),
        ("{jaeger_remote/development: }", .jaegerRemote),
        (
            "{jaeger_remote: {endpoint: 'http://a:5778/sampling', interval: 500, initial_sampler: {always_on: }}}",
            .jaegerRemote(endpoint: "http://a:5778/sampling", pollingInterval: .milliseconds(500), initial: .alwaysOn)
        ),
        (
            "{composite/development: {parent_threshold: {root: {probability: {ratio: 0.1}}}}}",
            .composite(.parentThreshold(root: .probability(0.1)))
        ),
        ("{composite: always_on}", .composite(.alwaysOn)),
        ("{composite: {always_off: }}", .composite(.alwaysOff)),
    ])
    func `each sampler is read`(yaml: String, sampler: SamplerConfiguration) {
        let (configuration, problems) = resolve(file: "file_format: '1.0'\ntracer_provider:\n  sampler: \(yaml)")
        #expect(configuration.sampler == sampler && problems.isEmpty)
    }

    @Test func `rules are read, and one that cannot be read whole is left out`() {
        let (configuration, problems) = resolve(
            file: """
                file_format: "1.0"
                tracer_provider:
                  sampler:
                    composite/development:
                      rule_based:
                        rules:
                          - attribute_values: {key: http.route, values: [/healthz, /readyz]}
                            sampler: {always_off: }
                          - attribute_patterns: {key: url.path, included: ["/internal/*"]}
                            span_kinds: [server, consumer]
                            parent: [none]
                            sampler: {probability: {ratio: 0.1}}
                          - span_kinds: [servre]
                            sampler: {always_off: }
                          - sampler: {always_on: }
                """
        )
        #expect(
            configuration.sampler
                == .composite(
                    .rules([
                        SamplingRule(
                            attributes: [.init(key: "http.route", values: ["/healthz", "/readyz"])],
                            sampler: .alwaysOff
                        ),
                        SamplingRule(
                            attributes: [.init(key: "url.path", patterns: NameFilter(included: ["/internal/*"]))],
                            kinds: [.server, .consumer],
                            parents: [.none],
                            sampler: .probability(0.1)
                        ),
                        SamplingRule(sampler: .alwaysOn),
                    ])
                )
        )
        #expect(
            problems == [
                "line 13 of /otel.yaml: span_kinds is ignored: \"servre\" is not one of internal, server, client, producer, "
                    + "consumer: did you mean server?"
            ]
        )
    }

    @Test func `a section of the file replaces what environment and code say, and leaves the others`() {
        var code = TracingConfiguration()
        code.serviceName = "in code"
        code.propagators = [.b3]
        code.limits.eventCount = 1
        let environment = [
            "OTEL_RESOURCE_ATTRIBUTES": "a=environment", "OTEL_BSP_MAX_QUEUE_SIZE": "99",
            "OTEL_TRACES_SAMPLER": "always_off",
            "OTEL_SPAN_LINK_COUNT_LIMIT": "1",
        ]
        let (configuration, problems) = resolve(
            environment,
            file: """
                file_format: "1.0"
                resource:
                  attributes:
                    - {name: b, value: file}
                tracer_provider:
                  limits: {attribute_count_limit: 5}
                  processors:
                    - batch: {exporter: {otlp_http: }}
                """,
            code: code
        )
        #expect(problems.isEmpty)
        #expect(configuration.serviceName == "in code" && configuration.propagators == [.b3])
        #expect(configuration.resourceAttributes == ["b": "file"])
        #expect(configuration.batch == BatchConfiguration())
        var limits = SpanLimits()
        limits.attributeCount = 5
        #expect(configuration.limits == limits)
    }

    @Test(arguments: ["{}", "{sampler: always_on}", "{limits: {}}", "{processors: [{simple: {exporter: console}}]}"])
    func `what a section of the file leaves out has its default, whatever environment and code say`(yaml: String) {
        var code = TracingConfiguration()
        code.limits.eventCount = 1
        code.processors = []
        let environment = [
            "OTEL_TRACES_SAMPLER": "always_off", "OTEL_TRACES_EXPORTER": "zipkin", "OTEL_SPAN_LINK_COUNT_LIMIT": "1",
        ]
        let file = "file_format: '1.0'\ntracer_provider: \(yaml)"
        let (configuration, problems) = resolve(environment, file: file, code: code)
        #expect(configuration == resolve(file: file).configuration && problems.isEmpty)
    }

    @Test func `a section that is none replaces nothing`() {
        let environment = ["OTEL_TRACES_SAMPLER": "always_off"]
        let (configuration, problems) = resolve(environment, file: "file_format: '1.0'\ntracer_provider: 5")
        #expect(configuration.sampler == .alwaysOff && problems.count == 1)
    }

    @Test func `general limits replace the general ones alone`() {
        var code = TracingConfiguration()
        code.limits.attributeCount = 1
        code.limits.attributeValueLength = 2
        code.limits.eventCount = 3
        let file = "file_format: '1.0'\nattribute_limits: {attribute_value_length_limit: 9}"
        var limits = SpanLimits()
        limits.attributeValueLength = 9
        limits.eventCount = 3
        #expect(resolve(file: file, code: code).configuration.limits == limits)
    }

    @Test func `empty lists are what they say`() {
        let (configuration, problems) = resolve(
            file: "file_format: '1.0'\npropagator: {composite: []}\ntracer_provider: {processors: []}"
        )
        #expect(configuration.propagators.isEmpty && configuration.processors.isEmpty && problems.isEmpty)
    }

    @Test func `what is null, or missing, changes nothing`() {
        let (configuration, problems) = resolve(
            file: """
                file_format: "1.0"
                disabled:
                log_level: null
                resource: ~
                propagator:
                attribute_limits: {attribute_count_limit: }
                tracer_provider: {sampler: null, processors: , limits: {event_count_limit: null}}
                """
        )
        #expect(configuration == TracingConfiguration() && problems.isEmpty)
    }

    @Test(arguments: [
        (
            "file_format: '1.0'\npropogator: {}",
            "line 2 of /otel.yaml: propogator is ignored: it is no key of the file: did you mean propagator?"
        ),
        (
            "file_format: '1.0'\ntracer_provider:\n  limits:\n    event_limit: 5",
            "line 4 of /otel.yaml: event_limit is ignored: it is no key of limits: limits has attribute_count_limit, "
                + "attribute_value_length_limit, event_count_limit, link_count_limit, event_attribute_count_limit, "
                + "link_attribute_count_limit"
        ),
        (
            "file_format: '1.0'\ntracer_provider:\n  sampler:\n    alway_on:",
            "line 4 of /otel.yaml: alway_on is ignored: it is no key of sampler: did you mean always_on?"
        ),
        (
            "file_format: '1.0'\ndisabled: perhaps",
            "line 2 of /otel.yaml: disabled is ignored: \"perhaps\" is not one of true, false; false is used"
        ),
        (
            "file_format: '1.0'\ntracer_provider: {processors: [{batch: }]}",
            "line 2 of /otel.yaml: batch is ignored: it has no exporter"
        ),
        (
            "file_format: '1.0'\ntracer_provider: {processors: [{simple: {exporter: {console: , zipkin: }}}]}",
            "line 2 of /otel.yaml: exporter is ignored: it does not have one of otlp_http, otlp_grpc, console, zipkin and no more"
        ),
        (
            "file_format: '1.0'\ntracer_provider: {processors: 5}",
            "line 2 of /otel.yaml: processors is ignored: it is no list"
        ),
        (
            "file_format: '1.0'\nresource: {attributes: [{name: n, value: x, type: int}]}",
            "line 2 of /otel.yaml: value is ignored: \"x\" is not of the type int; n is not set"
        ),
        (
            "file_format: '1.0'\nresource: {attributes_list: 'a=%'}",
            "line 2 of /otel.yaml: attributes_list is ignored: member 1 has a % without two hexadecimal digits of UTF-8 after it: "
                + "write % as %25; none of its attributes is set"
        ),
        (
            "file_format: '0.1'",
            "line 1 of /otel.yaml: file_format is ignored: \"0.1\" is not 0.4 or 1.0; the file is read as 1.0"
        ),
        (
            "disabled: false",
            "line 1 of /otel.yaml: file_format is ignored: it is missing: write file_format: \"1.0\"; 1.0 is used"
        ),
        ("- 1", "line 1 of /otel.yaml: the file is ignored: it is no map of "),
        ("a: [", "line 2 of /otel.yaml: the whole file is ignored: this is no YAML: "),
        ("a: 1\na: 2", "line 1 of /otel.yaml: the whole file is ignored: a stands twice in a map"),
        ("a: *b", "line 1 of /otel.yaml: the whole file is ignored: this is no YAML: found undefined alias"),
    ])
    func `a mistake is told with its line, and leaves what was there`(yaml: String, problem: String) {
        let (configuration, problems) = resolve(file: yaml)
        #expect(configuration == TracingConfiguration())
        #expect(problems.first?.hasPrefix(problem) == true, "\(problems)")
    }

    @Test func `values of headers are not shown when they cannot be sent`() {
        let (configuration, problems) = resolve(
            file: """
                file_format: "1.0"
                tracer_provider:
                  processors:
                    - simple:
                        exporter:
                          otlp_http:
                            headers: [{name: a b, value: secret}, {name: c, value: "d"}]
                """
        )
        #expect(configuration.otlp?.headers == ["c": "d"])
        #expect(
            problems == [
                "line 7 of /otel.yaml: headers is ignored: it has a name with characters that no header may have"
            ]
        )
    }

    @Test func `a file that cannot be read leaves code and environment`() {
        let (configuration, problems) = resolve(["OTEL_CONFIG_FILE": "/nowhere.yaml", "OTEL_SDK_DISABLED": "true"])
        #expect(configuration.isDisabled)
        #expect(
            problems == [
                "OTEL_CONFIG_FILE is ignored: \"/nowhere.yaml\" cannot be read: there is no such file; "
                    + "code and environment are used"
            ]
        )
        let long = resolve(file: String(repeating: "#", count: 1 << 20 + 1))
        #expect(long.problems.count == 1 && long.problems[0].contains("it has more than 1048576 bytes"))
    }
}
