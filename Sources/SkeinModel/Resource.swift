// SPDX-License-Identifier: Apache-2.0

/// The entity that produced spans: a service instance (OTLP 1.5 `Resource`).
public struct Resource: Hashable, Sendable {
    public var attributes: [Attribute]
    public var droppedAttributesCount: UInt32
    /// Schema of the attributes, empty when not said.
    @ExactText public var schemaURL: String

    /// A resource.
    public init(attributes: [Attribute] = [], droppedAttributesCount: UInt32 = 0, schemaURL: String = "") {
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
        self.schemaURL = schemaURL
    }

    /// The attribute `service.name`, empty when it is missing or not a string.
    public var serviceName: String {
        if case .string(let name) = attributes["service.name"] { name } else { "" }
    }
}

/// The library that made spans (OTLP 1.5 `InstrumentationScope`).
public struct InstrumentationScope: Hashable, Sendable {
    @ExactText public var name: String
    @ExactText public var version: String
    public var attributes: [Attribute]
    public var droppedAttributesCount: UInt32
    /// Schema of the spans in this scope, empty when not said.
    @ExactText public var schemaURL: String

    /// A scope.
    public init(
        name: String = "",
        version: String = "",
        attributes: [Attribute] = [],
        droppedAttributesCount: UInt32 = 0,
        schemaURL: String = ""
    ) {
        self.name = name
        self.version = version
        self.attributes = attributes
        self.droppedAttributesCount = droppedAttributesCount
        self.schemaURL = schemaURL
    }
}
