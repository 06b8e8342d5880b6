// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// An operation of a service, as analyses name it.
package struct OperationName: Hashable, Sendable {
    /// Empty for spans without a service name.
    @ExactText package var service: String
    @ExactText package var operation: String

    package init(service: String, operation: String) {
        self.service = service
        self.operation = operation
    }

    /// By service, then operation.
    static func precedes(_ a: OperationName, _ b: OperationName) -> Bool {
        a.service.isExactly(b.service)
            ? a.operation.utf8.lexicographicallyPrecedes(b.operation.utf8)
            : a.service.utf8.lexicographicallyPrecedes(b.service.utf8)
    }
}

extension TraceTree {
    /// For each row a number, and for each number its operation.
    func operationNames() -> (numbers: [Int], names: [OperationName]) {
        var known: [UInt64: Int] = [:]
        var names: [OperationName] = []
        let numbers = (0..<count).map { row in
            let key = UInt64(serviceIndexes[row]) << 32 | UInt64(operationIndexes[row])
            if let number = known[key] { return number }
            known[key] = names.count
            names.append(name(at: row))
            return names.count - 1
        }
        return (numbers, names)
    }

    /// The operation of the span at `row`.
    package func name(at row: Int) -> OperationName {
        OperationName(
            service: services[Int(serviceIndexes[row])].name,
            operation: operations[Int(operationIndexes[row])]
        )
    }
}
