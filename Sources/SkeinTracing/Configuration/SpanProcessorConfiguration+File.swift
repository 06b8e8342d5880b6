// SPDX-License-Identifier: Apache-2.0
import SkeinRecording

extension SpanProcessorConfiguration {
    /// `nil` for what is no processor, or has no exporter.
    init?(_ part: FileReader.Part, _ reader: inout FileReader) {
        guard let choice = reader.choice(part, of: ["batch", "simple"]) else { return nil }
        let isBatch = choice.name == "batch"
        let settings = ["schedule_delay", "export_timeout", "max_queue_size", "max_export_batch_size"]
        let parts = reader.map(choice, known: (isBatch ? settings : []) + ["exporter"])
        guard let exporter = parts["exporter"] else {
            reader.report(choice, "it has no exporter")
            return nil
        }
        guard let exporter = SpanExporterConfiguration(exporter, &reader) else { return nil }
        self.init(exporter, batch: isBatch ? BatchConfiguration(parts, &reader) : nil)
    }
}

extension BatchConfiguration {
    fileprivate init(_ parts: [String: FileReader.Part], _ reader: inout FileReader) {
        self.init()
        let sizes = ValueForm.wholeNumber(Self.queueSizes)
        reader.read(parts["schedule_delay"], as: .milliseconds, into: &scheduledDelay)
        reader.read(parts["export_timeout"], as: .milliseconds, into: &exportTimeout)
        reader.read(parts["max_queue_size"], as: sizes, into: &queueSizeMax)
        reader.read(parts["max_export_batch_size"], as: sizes, into: &exportBatchSizeMax)
    }
}

extension SpanExporterConfiguration {
    /// `nil` for what is no exporter.
    fileprivate init?(_ part: FileReader.Part, _ reader: inout FileReader) {
        guard let choice = reader.choice(part, of: ["otlp_http", "otlp_grpc", "console", "zipkin"]) else { return nil }
        switch choice.name {
        case "otlp_http": self = .otlp(OTLPConfiguration(choice, isGRPC: false, &reader))
        case "otlp_grpc": self = .otlp(OTLPConfiguration(choice, isGRPC: true, &reader))
        case "zipkin":
            var zipkin = ZipkinConfiguration()
            let parts = reader.map(choice, known: ["endpoint", "timeout"])
            reader.read(parts["endpoint"], as: .endpoint(), into: &zipkin.endpoint)
            reader.read(parts["timeout"], as: .milliseconds, into: &zipkin.timeout)
            self = .zipkin(zipkin)
        default: self = .console
        }
    }
}

extension OTLPConfiguration {
    fileprivate init(_ part: FileReader.Part, isGRPC: Bool, _ reader: inout FileReader) {
        self.init()
        if isGRPC { transport = .grpc }
        // Of format 0.4 what is now in `tls` stands beside the others.
        let files = [
            "certificate_file", "client_key_file", "client_certificate_file", "ca_file", "key_file", "cert_file",
        ]
        let own = isGRPC ? ["insecure"] : ["encoding"]
        let parts = reader.map(
            part,
            known: ["endpoint", "tls", "headers", "headers_list", "compression", "timeout"] + own + files.prefix(3)
        )
        let tls = parts["tls"].map { reader.map($0, known: files + (isGRPC ? own : [])) } ?? [:]
        let path = ValueForm<String>.text.optional
        for parts in [parts, tls] {
            reader.read(parts["ca_file"] ?? parts["certificate_file"], as: path, into: &certificateFile)
            reader.read(parts["key_file"] ?? parts["client_key_file"], as: path, into: &clientKeyFile)
            reader.read(parts["cert_file"] ?? parts["client_certificate_file"], as: path, into: &clientCertificateFile)
            reader.read(parts["insecure"], as: .boolean, into: &isInsecure)
        }
        let encoding = ValueForm<Transport>.choice([("protobuf", .httpProtobuf), ("json", .httpJSON)])
        reader.read(parts["encoding"], as: encoding, into: &transport)
        let scheme: Endpoint.Scheme? = isGRPC ? (isInsecure ? .http : .https) : nil
        reader.read(parts["endpoint"], as: ValueForm<String>.endpoint(scheme).optional, into: &endpoint)
        reader.read(parts["compression"], as: .choice, into: &compression)
        reader.read(parts["timeout"], as: .milliseconds, into: &timeout)
        readHeaders(parts, &reader)
    }

    /// Those with a name of their own win over those of the list.
    private mutating func readHeaders(_ parts: [String: FileReader.Part], _ reader: inout FileReader) {
        if let list = parts["headers_list"], let text = reader.text(list) {
            let (read, faults) = Self.headers(text)
            headers = read
            for fault in faults { reader.report(list, fault, instead: "the other headers are sent") }
        }
        for element in reader.list(parts["headers"]) {
            let pair = reader.map(element, known: ["name", "value"])
            guard let name = reader.text(pair["name"]), let value = reader.text(pair["value"]) else { continue }
            if let fault = HeaderList.fault(name: name, value: value) {
                reader.report(element, "it \(fault)")
            } else {
                headers[name.lowercased()] = value
            }
        }
    }
}
