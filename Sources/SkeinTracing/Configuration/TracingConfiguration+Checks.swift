// SPDX-License-Identifier: Apache-2.0
import SkeinRecording

extension TracingConfiguration {
    /// Mends what makes no sense wherever it was said, as code may say anything.
    mutating func check(_ problems: inout [ConfigurationProblem]) {
        propagators = propagators.uniqued
        let limit = ValueForm<Int>.limit
        for (name, path) in [
            ("limits.attributeCount", \SpanLimits.attributeCount),
            ("limits.attributeValueLength", \SpanLimits.attributeValueLength),
            ("limits.eventCount", \SpanLimits.eventCount), ("limits.linkCount", \SpanLimits.linkCount),
            ("limits.attributeCountPerEvent", \SpanLimits.attributeCountPerEvent),
            ("limits.attributeCountPerLink", \SpanLimits.attributeCountPerLink),
        ] where limits[keyPath: path] < 0 {
            let value = limits[keyPath: path]
            limits[keyPath: path] = SpanLimits()[keyPath: path]
            problems.append(
                .init(
                    .field,
                    name,
                    value: "\(value)",
                    reason: "is not \(limit.expected)",
                    instead: "the default is used"
                )
            )
        }
        for index in processors.indices { processors[index].check("processors[\(index)]", &problems) }
    }
}

extension SpanProcessorConfiguration {
    fileprivate mutating func check(_ name: String, _ problems: inout [ConfigurationProblem]) {
        batch?.check(name, &problems)
        switch exporter {
        case .otlp(var configuration):
            configuration.check(name, &problems)
            exporter = .otlp(configuration)
        case .zipkin(var configuration):
            checkEndpoint(&configuration.endpoint, ZipkinConfiguration().endpoint, name, &problems)
            checkDuration(&configuration.timeout, ZipkinConfiguration().timeout, "\(name).timeout", &problems)
            exporter = .zipkin(configuration)
        case .jaegerHTTP(var configuration):
            checkEndpoint(&configuration.endpoint, JaegerHTTPConfiguration().endpoint, name, &problems)
            checkDuration(&configuration.timeout, JaegerHTTPConfiguration().timeout, "\(name).timeout", &problems)
            exporter = .jaegerHTTP(configuration)
        case .jaegerUDP(var configuration):
            let ports = ValueForm.wholeNumber(1...65535)
            if ports.parse("\(configuration.port)") == nil {
                let value = configuration.port
                configuration.port = JaegerUDPConfiguration().port
                problems.append(
                    .init(
                        .field,
                        "\(name).port",
                        value: "\(value)",
                        reason: "is not \(ports.expected)",
                        instead: "6831 is used"
                    )
                )
                exporter = .jaegerUDP(configuration)
            }
        case .console: break
        }
    }
}

extension BatchConfiguration {
    fileprivate mutating func check(_ name: String, _ problems: inout [ConfigurationProblem]) {
        let standard = BatchConfiguration()
        if !Self.queueSizes.contains(queueSizeMax) {
            let value = queueSizeMax
            queueSizeMax = standard.queueSizeMax
            let reason = "is not \(ValueForm.wholeNumber(Self.queueSizes).expected)"
            problems.append(
                .init(
                    .field,
                    "\(name).queueSizeMax",
                    value: "\(value)",
                    reason: reason,
                    instead: "\(queueSizeMax) is used"
                )
            )
        }
        // Whoever asks for a small queue has not asked for large batches.
        if exportBatchSizeMax == standard.exportBatchSizeMax {
            exportBatchSizeMax = min(exportBatchSizeMax, queueSizeMax)
        }
        if !(1...queueSizeMax).contains(exportBatchSizeMax) {
            let value = exportBatchSizeMax
            exportBatchSizeMax = value < 1 ? min(standard.exportBatchSizeMax, queueSizeMax) : queueSizeMax
            problems.append(
                .init(
                    .field,
                    "\(name).exportBatchSizeMax",
                    value: "\(value)",
                    reason: "is not a whole number from 1 to the size of the queue, \(queueSizeMax)",
                    instead: "\(exportBatchSizeMax) is used"
                )
            )
        }
        checkDuration(&scheduledDelay, standard.scheduledDelay, "\(name).scheduledDelay", &problems)
        checkDuration(&exportTimeout, standard.exportTimeout, "\(name).exportTimeout", &problems)
    }
}

extension OTLPConfiguration {
    fileprivate mutating func check(_ name: String, _ problems: inout [ConfigurationProblem]) {
        if target == nil {
            let value = endpoint
            endpoint = nil
            let reason = "is not \(ValueForm.endpoint(transport == .grpc ? .https : nil).expected)"
            let instead = "\(target?.description ?? "the default") is used"
            problems.append(.init(.field, "\(name).endpoint", value: value, reason: reason, instead: instead))
        }
        checkDuration(&timeout, OTLPConfiguration().timeout, "\(name).timeout", &problems)
        if (clientKeyFile == nil) != (clientCertificateFile == nil) {
            let (present, missing) =
                clientKeyFile == nil
                ? ("clientCertificateFile", "clientKeyFile") : ("clientKeyFile", "clientCertificateFile")
            (clientKeyFile, clientCertificateFile) = (nil, nil)
            problems.append(
                .init(.field, "\(name).\(present)", reason: "it needs \(missing) beside it, which is not set")
            )
        }
        for (header, value) in headers.sorted(by: { $0.key < $1.key }) {
            guard let fault = HeaderList.fault(name: header, value: value) else { continue }
            headers[header] = nil
            problems.append(
                .init(.field, "\(name).headers", reason: "one \(fault)", instead: "the other headers are sent")
            )
        }
    }
}

private func checkEndpoint(
    _ endpoint: inout String,
    _ standard: String,
    _ name: String,
    _ problems: inout [ConfigurationProblem]
) {
    let form = ValueForm<String>.endpoint()
    guard form.parse(endpoint) == nil else { return }
    let reason = "is not \(form.expected)"
    problems.append(.init(.field, "\(name).endpoint", value: endpoint, reason: reason, instead: "\(standard) is used"))
    endpoint = standard
}

private func checkDuration(
    _ duration: inout Duration,
    _ standard: Duration,
    _ name: String,
    _ problems: inout [ConfigurationProblem]
) {
    guard duration < .zero || duration > .milliseconds(Int32.max) else { return }
    let reason = "is not \(ValueForm<Duration>.milliseconds.expected)"
    problems.append(.init(.field, name, value: "\(duration)", reason: reason, instead: "\(standard) is used"))
    duration = standard
}
