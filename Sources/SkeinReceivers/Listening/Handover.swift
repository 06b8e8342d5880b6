// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Takes a value to a task, which then is the only one to hold it: what a closure captures lives as long as the closure.
final class Handover<Value: Sendable>: Sendable {
    private let value: Mutex<Value?>

    init(_ value: Value) { self.value = Mutex(value) }

    /// The value. May be called once.
    func take() -> Value {
        guard let value = value.withLock({ $0.take() }) else { preconditionFailure("a value is handed over twice") }
        return value
    }
}
