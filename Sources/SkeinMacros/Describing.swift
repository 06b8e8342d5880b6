// SPDX-License-Identifier: Apache-2.0
#if Macros
    import SkeinModel
    public import SkeinRecording

    extension SkeinSpan {
        /// Sets an attribute to what `value` is: numbers, truth values and texts keep their type, also in optionals, lists and what
        /// has a raw value. `nil` sets none; of all else it is the description. Costs nothing on a span that is not recorded.
        public func setAttribute<Value>(_ key: String, describing value: Value) {
            guard isRecording, let value = AttributeValue(describing: value) else { return }
            setAttribute(key, value)
        }
    }

    extension AttributeValue {
        /// `nil` for `nil`.
        fileprivate init?(describing value: Any) {
            switch value {
            case let value as String: self = .string(value)
            case let value as Bool: self = .bool(value)
            case let value as any BinaryInteger: self = Int64(exactly: value).map(Self.int) ?? .string("\(value)")
            case let value as any BinaryFloatingPoint: self = .double(Double(value))
            case let value as any AbsentOrPresent:
                guard let present = value.presentValue else { return nil }
                self.init(describing: present)
            case let value as any RawRepresentable: self.init(describing: value.rawValue)
            case let value as [Any]: self = .array(value.compactMap { AttributeValue(describing: $0) })
            default: self = .string(String(describing: value))
            }
        }
    }

    private protocol AbsentOrPresent {
        var presentValue: Any? { get }
    }

    extension Optional: AbsentOrPresent {
        fileprivate var presentValue: Any? { self }
    }
#endif
