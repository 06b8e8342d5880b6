// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

extension Jaeger {
    /// What a client is told about how to sample (jaeger-idl 0.6 `proto/api_v2/sampling.proto`).
    package struct SamplingStrategy: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            /// The share of all traces, from 0 to 1.
            case probabilistic(Double)
            /// Traces a second.
            case rateLimiting(Int32)
        }

        /// For services whose operations differ.
        package struct Operations: Hashable, Sendable {
            /// The share of operations that are not listed, from 0 to 1.
            package var defaultProbability: Double
            /// Traces of each operation that are taken in a second however small its share is.
            package var lowerBoundTracesPerSecond = 0.0
            /// By name, in the order they are told.
            package var probabilities: [OperationProbability]

            package init(
                defaultProbability: Double,
                lowerBoundTracesPerSecond: Double = 0,
                probabilities: [OperationProbability]
            ) {
                self.defaultProbability = defaultProbability
                self.lowerBoundTracesPerSecond = lowerBoundTracesPerSecond
                self.probabilities = probabilities
            }
        }

        /// The share of one operation, from 0 to 1.
        package struct OperationProbability: Hashable, Sendable {
            package var operation: String
            package var probability: Double

            package init(_ operation: String, _ probability: Double) {
                self.operation = operation
                self.probability = probability
            }
        }

        package var kind: Kind
        package var operations: Operations?

        package init(_ kind: Kind, operations: Operations? = nil) {
            self.kind = kind
            self.operations = operations
        }

        /// For services of which nothing is known.
        package static let unknown = SamplingStrategy(.probabilistic(0.001))
    }
}

extension Jaeger.SamplingStrategy {
    /// Writes a `SamplingStrategyResponse` in the JSON that clients ask for over HTTP.
    package func write(to json: inout JSONWriter) {
        json.object { json in
            switch kind {
            case .probabilistic(let probability):
                json.member("strategyType", "PROBABILISTIC")
                json.object("probabilisticSampling") { $0.member("samplingRate", probability) }
            case .rateLimiting(let rate):
                json.member("strategyType", "RATE_LIMITING")
                json.object("rateLimitingSampling") { $0.member("maxTracesPerSecond", rate) }
            }
            guard let operations else { return }
            json.object("operationSampling") { json in
                json.member("defaultSamplingProbability", operations.defaultProbability)
                json.member("defaultLowerBoundTracesPerSecond", operations.lowerBoundTracesPerSecond)
                json.array("perOperationStrategies") { json in
                    for one in operations.probabilities {
                        json.object { json in
                            json.member("operation", one.operation)
                            json.object("probabilisticSampling") { $0.member("samplingRate", one.probability) }
                        }
                    }
                }
            }
        }
    }

    /// Appends a `SamplingStrategyResponse` message.
    package func appendProtobuf(to out: inout ByteWriter) {
        switch kind {
        case .probabilistic(let probability):
            out.appendMessage(2) { $0.appendField(1, double: probability) }
        case .rateLimiting(let rate):
            out.appendField(1, varint: 1)
            out.appendMessage(3) { $0.appendField(1, varint: UInt64(bitPattern: Int64(rate))) }
        }
        guard let operations else { return }
        out.appendMessage(4) { out in
            out.appendField(1, double: operations.defaultProbability)
            out.appendField(2, double: operations.lowerBoundTracesPerSecond)
            for one in operations.probabilities {
                out.appendMessage(3) { out in
                    out.appendField(1, text: one.operation)
                    out.appendMessage(2) { $0.appendField(1, double: one.probability) }
                }
            }
        }
    }

    /// The service that a `SamplingStrategyParameters` message asks about.
    package static func serviceName(inProtobuf bytes: UnsafeRawBufferPointer) throws(WireError) -> String {
        var reader = ProtobufReader(bytes)
        var name = ""
        while let tag = try reader.nextTag() {
            switch tag {
            case 1 << 3 | 2: name = UTF8Text.repaired(try reader.readBytes())
            default: try reader.skip(tag, known: 1 << 1)
            }
        }
        return name
    }
}
