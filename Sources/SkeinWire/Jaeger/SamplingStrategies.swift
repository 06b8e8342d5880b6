// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension Jaeger {
    /// A file of strategies in Jaeger's format:
    ///
    ///     {
    ///       "default_strategy": { "type": "probabilistic", "param": 0.5 },
    ///       "service_strategies": [
    ///         { "service": "shop", "type": "ratelimiting", "param": 5 },
    ///         { "service": "cart", "type": "probabilistic", "param": 0.8,
    ///           "operation_strategies": [{ "operation": "GET /", "type": "probabilistic", "param": 0.2 }] }
    ///       ]
    ///     }
    ///
    /// Operations of the default strategy hold for every service that is sampled by probability, unless it lists them
    /// itself. Where Jaeger takes a file that contradicts itself and keeps one half, this one is refused.
    package struct SamplingStrategies: Hashable, Sendable {
        /// For services that are not named; `nil` when the file does not say.
        package private(set) var defaultStrategy: SamplingStrategy?
        /// By service.
        package private(set) var services: [String: SamplingStrategy] = [:]

        /// Reads a file; errors name the line.
        package init(json bytes: UnsafeRawBufferPointer) throws(WireError) {
            var reader = JSONReader(bytes)
            var inherited: [SamplingStrategy.OperationProbability] = []
            var read: [Entry] = []
            try reader.openObject()
            var members: Set<String> = []
            while let key = try reader.nextMember() {
                let name = key.text
                guard members.insert(name).inserted else { throw reader.malformed("there are two members \"\(name)\"") }
                switch key {
                case "default_strategy":
                    let entry = try Entry(&reader, named: nil)
                    inherited = entry.operations ?? []
                    defaultStrategy = try entry.strategy(inheriting: [], reader)
                case "service_strategies":
                    var known: Set<String> = []
                    try reader.openArray()
                    while try reader.nextElement() {
                        let entry = try Entry(&reader, named: "service")
                        guard known.insert(entry.name).inserted else {
                            throw reader.malformed("the service \"\(entry.name)\" has two strategies", at: entry.offset)
                        }
                        read.append(entry)
                    }
                default:
                    throw reader.malformed("\"\(name)\" is neither default_strategy nor service_strategies")
                }
            }
            try reader.finish()
            for entry in read { services[entry.name] = try entry.strategy(inheriting: inherited, reader) }
        }
    }
}

extension Jaeger.SamplingStrategies {
    /// One object of the file that has a type and a parameter.
    private struct Entry {
        var name = ""
        var type = ""
        var param: Double?
        var operations: [Jaeger.SamplingStrategy.OperationProbability]?
        /// Where it begins.
        var offset: Int

        /// Reads an object with the member `nameKey`, or without a name.
        init(_ reader: inout JSONReader, named nameKey: String?) throws(WireError) {
            _ = try reader.peek()
            offset = reader.offset
            try reader.openObject()
            var members: Set<String> = []
            while let key = try reader.nextMember() {
                let member = key.text
                guard members.insert(member).inserted else {
                    throw reader.malformed("a strategy has two members \"\(member)\"")
                }
                switch key {
                case "type": type = UTF8Text.repaired(try reader.readString())
                case "param": param = try reader.readDouble()
                case "service" where nameKey == "service", "operation" where nameKey == "operation":
                    name = UTF8Text.repaired(try reader.readString())
                case "operation_strategies" where nameKey != "operation": operations = try Self.operations(&reader)
                default:
                    let known = [nameKey, "type", "param", nameKey == "operation" ? nil : "operation_strategies"]
                    throw reader.malformed(
                        "\"\(member)\" is not among \(known.compactMap(\.self).joined(separator: ", "))"
                    )
                }
            }
            if let nameKey, name.isEmpty { throw reader.malformed("a strategy has no \(nameKey)", at: offset) }
        }

        private static func operations(
            _ reader: inout JSONReader
        ) throws(WireError) -> [Jaeger.SamplingStrategy.OperationProbability] {
            var operations: [Jaeger.SamplingStrategy.OperationProbability] = []
            var known: Set<String> = []
            try reader.openArray()
            while try reader.nextElement() {
                let entry = try Entry(&reader, named: "operation")
                guard known.insert(entry.name).inserted else {
                    throw reader.malformed("the operation \"\(entry.name)\" has two strategies", at: entry.offset)
                }
                guard case .probabilistic(let probability) = try entry.kind(reader) else {
                    throw reader.malformed(
                        "the operation \"\(entry.name)\" is ratelimiting, which clients cannot be told of an operation: use "
                            + "probabilistic, or limit the service",
                        at: entry.offset
                    )
                }
                operations.append(.init(entry.name, probability))
            }
            return operations
        }

        func kind(_ reader: borrowing JSONReader) throws(WireError) -> Jaeger.SamplingStrategy.Kind {
            guard let param else { throw reader.malformed("a strategy has no param", at: offset) }
            switch type {
            case "probabilistic":
                guard (0...1).contains(param) else {
                    throw reader.malformed("the probability \(param) is not from 0 to 1", at: offset)
                }
                return .probabilistic(param)
            case "ratelimiting":
                guard let rate = Int32(exactly: param), rate >= 0 else {
                    throw reader.malformed(
                        "\(param) traces a second are no whole number from 0 to \(Int32.max), and clients are told no other",
                        at: offset
                    )
                }
                return .rateLimiting(rate)
            default:
                throw reader.malformed("the type \"\(type)\" is neither probabilistic nor ratelimiting", at: offset)
            }
        }

        func strategy(
            inheriting inherited: [Jaeger.SamplingStrategy.OperationProbability],
            _ reader: borrowing JSONReader
        ) throws(WireError) -> Jaeger.SamplingStrategy {
            let kind = try kind(reader)
            guard case .probabilistic(let probability) = kind else {
                guard operations == nil else {
                    throw reader.malformed(
                        "a strategy is ratelimiting and has operation_strategies, which clients would follow instead: leave "
                            + "one of them out",
                        at: offset
                    )
                }
                return Jaeger.SamplingStrategy(kind)
            }
            var all = operations ?? []
            let own = Set(all.map(\.operation))
            all += inherited.filter { !own.contains($0.operation) }
            guard !all.isEmpty else { return Jaeger.SamplingStrategy(kind) }
            return Jaeger.SamplingStrategy(
                kind,
                operations: .init(defaultProbability: probability, probabilities: all)
            )
        }
    }
}
