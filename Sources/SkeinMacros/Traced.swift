// SPDX-License-Identifier: Apache-2.0
#if Macros
    import SkeinRecording
    public import Tracing

    /// Makes each call of a function a span, a child of the one around it.
    ///
    ///     @Traced
    ///     func price(of item: Item) async throws -> Price { … }
    ///
    ///     @Traced("load user", kind: .client, attributes: [.argument("id", as: "user.id"), .result(as: "user.name")])
    ///     func user(_ id: Int) throws -> String {
    ///         span.addEvent("cache missed")
    ///         …
    ///     }
    ///
    /// Inside of the body the span is `span`, unless an argument has this name. An error that is thrown is recorded and sets the
    /// status. Without a tracer that is started the function does what it does without the macro.
    ///
    /// Initializers, accessors, functions inside of a traced function, and those that consume an argument that cannot be copied,
    /// cannot be traced.
    ///
    /// - Parameters:
    ///   - name: The name of the span, `Type.function` unless it is given. Few names tell more than many: what differs from call to
    ///     call belongs into attributes.
    ///   - kind: What the span is to other services.
    ///   - attributes: Which arguments become attributes, at the start, and whether what is given back does. None do unless they
    ///     are named, since they may hold secrets.
    @attached(body)
    public macro Traced(
        _ name: String? = nil,
        kind: SpanKind = .internal,
        attributes: [TracedAttribute] = []
    ) = #externalMacro(module: "SkeinMacroPlugin", type: "TracedMacro")

    /// What of a call becomes an attribute of its span; for the parentheses of ``Traced(_:kind:attributes:)`` alone.
    ///
    /// Numbers, truth values and texts keep their type, also in optionals, lists and what has a raw value; `nil` sets no
    /// attribute; of all else it is the description.
    public struct TracedAttribute: Sendable {
        private init() {}

        /// The argument that is called `name` inside of the function, under its own name or another.
        public static func argument(_ name: StaticString, as key: StaticString? = nil) -> Self { Self() }

        /// What is given back, as `result` or under another name. Nothing if an error is thrown.
        public static func result(as key: StaticString) -> Self { Self() }

        /// What is given back, as `result`. Nothing if an error is thrown.
        public static var result: Self { Self() }
    }
#endif
