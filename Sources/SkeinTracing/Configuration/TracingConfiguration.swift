// SPDX-License-Identifier: Apache-2.0
public import Logging
public import SkeinModel
public import SkeinRecording

/// What tracing of a service does: what it says in code, then what the environment says, then what the file says that
/// `OTEL_CONFIG_FILE` names, each above the one before.
///
/// What makes no sense is left out and reported as a ``ConfigurationProblem``, and never keeps a service from running.
public struct TracingConfiguration: Hashable, Sendable {
    /// The attribute `service.name`, above one among ``resourceAttributes``. `unknown_service:` and the name of the executable
    /// unless something names it; `OTEL_SERVICE_NAME`.
    public var serviceName: String?

    /// What else is said of the service. They win over those of `OTEL_RESOURCE_ATTRIBUTES` (`key=value,…`, percent-encoded),
    /// and these over those that are detected. None by default.
    public var resourceAttributes: [String: AttributeValue] = [:]

    /// The schema of the resource's attributes; empty when it is not said, as by default. In the file `resource.schema_url`.
    public var resourceSchemaURL = ""

    /// What is found out about where the service runs. All by default; in the file `resource.detection/development.detectors`.
    public var detectors = Set(ResourceDetectorName.allCases)

    /// Which of the detected attributes are taken. All by default; in the file `resource.detection/development.attributes`.
    public var detectedAttributes = NameFilter()

    /// Whether `process.command_args` is detected too. Arguments may hold secrets, so that it is not by default.
    public var describesCommandArguments = false

    /// Whether nothing is recorded. Contexts are passed on even so. `false` by default; `OTEL_SDK_DISABLED`, `true` or `false`.
    public var isDisabled = false

    /// What the SDK says of itself: this level and those above. `info` by default; `OTEL_LOG_LEVEL`, one of `trace`, `debug`,
    /// `info`, `notice`, `warn`, `error`, `fatal`.
    public var logLevel = Logger.Level.info

    /// The forms in which contexts are read and written, in this order, each once. W3C Trace Context and Baggage by default;
    /// none where the list is empty. `OTEL_PROPAGATORS`: `tracecontext`, `baggage`, `b3`, `b3multi`, `jaeger`, `xray`, or `none`.
    public var propagators: [PropagatorFormat] = [.traceContext, .baggage]

    /// Which spans are recorded. All roots and what their parents decided by default; `OTEL_TRACES_SAMPLER` and
    /// `OTEL_TRACES_SAMPLER_ARG`.
    public var sampler = SamplerConfiguration.parentBased(root: .alwaysOn)

    /// Where finished spans go, and how. OTLP in batches by default; nowhere where the list is empty. `OTEL_TRACES_EXPORTER`
    /// makes the list anew, of `otlp`, `zipkin`, `jaeger`, `console`, or `none`.
    public var processors = [SpanProcessorConfiguration(.otlp(OTLPConfiguration()))]

    /// How much one span may hold. `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT` and others, and beneath two of them
    /// `OTEL_ATTRIBUTE_COUNT_LIMIT` and `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`.
    public var limits = SpanLimits()

    /// Whether a span that is not recorded has an id of its own although its parent in this process is not recorded either, as the
    /// specification says. Only log lines and the headers of calls tell the difference, and such a span costs five times as much.
    /// `false` by default.
    public var hasStrictSpanIDs = false

    /// Whether errors take along where they are recorded, as `exception.stacktrace`. Each costs some 40 µs more then, and the
    /// thread that exports some time for places it does not know yet; paths of source files leave the process. `false` by default; `SKEIN_RECORD_STACK_TRACES`, `true` or `false`.
    public var recordsStackTraces = false

    /// What holds unless somebody says otherwise.
    public init() {}
}

/// One form of carrying a context in headers, by its name in `OTEL_PROPAGATORS`.
public enum PropagatorFormat: String, Hashable, Sendable, CaseIterable {
    /// `traceparent` and `tracestate`, of the W3C.
    case traceContext = "tracecontext"
    /// `baggage`, of the W3C.
    case baggage
    /// One header `b3`, of Zipkin. The other form is read too.
    case b3
    /// `x-b3-traceid` and others, of Zipkin. The other form is read too.
    case b3Multi = "b3multi"
    /// `uber-trace-id`, of Jaeger.
    case jaeger
    /// `x-amzn-trace-id`, of AWS X-Ray.
    case xray
}

/// What is found out about where a service runs, by its name in the file.
public enum ResourceDetectorName: String, Hashable, Sendable, CaseIterable {
    /// `service.instance.id`, new for each process.
    case service
    /// `process.*`
    case process
    /// `host.*`
    case host
    /// `os.*`
    case os
    /// `container.id`
    case container
    /// `k8s.*`
    case kubernetes = "k8s"
}
