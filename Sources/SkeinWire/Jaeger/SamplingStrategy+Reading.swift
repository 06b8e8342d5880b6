// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension Jaeger.SamplingStrategy {
    /// Reads a `SamplingStrategyResponse` in the JSON that agents and collectors answer over HTTP. The type may be a name or, as
    /// old agents write it, a number; numbers that are 0 may be left out, and unknown members are passed over.
    package init(json bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = JSONReader(bytes)
        var isRateLimiting = false
        var probability: Double?
        var rate: Int32?
        var operations: Operations?
        try reader.openObject()
        while let key = try reader.nextMember() {
            switch key {
            case "strategyType": isRateLimiting = try Self.isRateLimiting(&reader)
            case "probabilisticSampling": probability = try Self.probability("samplingRate", &reader)
            case "rateLimitingSampling": rate = try Self.rate(&reader)
            case "operationSampling": operations = try Self.operations(&reader)
            default: try reader.skipValue()
            }
        }
        try reader.finish()
        if isRateLimiting {
            guard let rate else {
                throw reader.malformed("the strategy is RATE_LIMITING and has no rateLimitingSampling")
            }
            kind = .rateLimiting(rate)
        } else {
            guard let probability = probability ?? operations?.defaultProbability else {
                throw reader.malformed("the strategy is PROBABILISTIC and has no probabilisticSampling")
            }
            kind = .probabilistic(probability)
        }
        self.operations = operations
    }

    private static func isRateLimiting(_ reader: inout JSONReader) throws(WireError) -> Bool {
        let type = UTF8Text.repaired(try reader.readScalar())
        switch type.uppercased() {
        case "PROBABILISTIC", "0": return false
        case "RATE_LIMITING", "1": return true
        default:
            throw reader.malformed("the strategyType \"\(type)\" is neither PROBABILISTIC nor RATE_LIMITING")
        }
    }

    /// Reads an object with one probability that counts.
    private static func probability(_ name: StaticString, _ reader: inout JSONReader) throws(WireError) -> Double {
        var probability = 0.0
        try reader.openObject()
        while let key = try reader.nextMember() {
            if name ~= key { probability = try share(&reader) } else { try reader.skipValue() }
        }
        return probability
    }

    private static func share(_ reader: inout JSONReader) throws(WireError) -> Double {
        let share = try reader.readDouble()
        guard (0...1).contains(share) else { throw reader.malformed("the probability \(share) is not from 0 to 1") }
        return share
    }

    private static func rate(_ reader: inout JSONReader) throws(WireError) -> Int32 {
        var rate: Int32 = 0
        try reader.openObject()
        while let key = try reader.nextMember() {
            guard case "maxTracesPerSecond" = key else {
                try reader.skipValue()
                continue
            }
            let number = try reader.readDouble()
            guard let read = Int32(exactly: number), read >= 0 else {
                throw reader.malformed("\(number) traces a second are no whole number from 0 to \(Int32.max)")
            }
            rate = read
        }
        return rate
    }

    private static func operations(_ reader: inout JSONReader) throws(WireError) -> Operations {
        var operations = Operations(defaultProbability: 0, probabilities: [])
        try reader.openObject()
        while let key = try reader.nextMember() {
            switch key {
            case "defaultSamplingProbability": operations.defaultProbability = try share(&reader)
            case "defaultLowerBoundTracesPerSecond":
                let bound = try reader.readDouble()
                guard bound >= 0, bound.isFinite else {
                    throw reader.malformed("the lower bound of \(bound) traces a second is no number from 0")
                }
                operations.lowerBoundTracesPerSecond = bound
            case "perOperationStrategies":
                try reader.openArray()
                while try reader.nextElement() { operations.probabilities.append(try operation(&reader)) }
            default: try reader.skipValue()
            }
        }
        return operations
    }

    private static func operation(_ reader: inout JSONReader) throws(WireError) -> OperationProbability {
        var operation = OperationProbability("", 0)
        try reader.openObject()
        while let key = try reader.nextMember() {
            switch key {
            case "operation": operation.operation = UTF8Text.repaired(try reader.readString())
            case "probabilisticSampling": operation.probability = try probability("samplingRate", &reader)
            default: try reader.skipValue()
            }
        }
        return operation
    }
}
