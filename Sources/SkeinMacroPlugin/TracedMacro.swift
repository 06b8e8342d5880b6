// SPDX-License-Identifier: Apache-2.0
#if Macros
    import SwiftDiagnostics
    import SwiftSyntax
    import SwiftSyntaxBuilder
    import SwiftSyntaxMacros

    /// Puts the body of a function into a closure that `Skein.withSpan` calls.
    ///
    /// The closure says what the function says: whether it waits, what it throws, what it gives back. It is not passed on by whoever
    /// calls it, so that `inout` arguments, functions that do not escape and the isolation of an actor stay as they were.
    struct TracedMacro: BodyMacro {
        static func expansion(
            of node: AttributeSyntax,
            providingBodyFor declaration: some DeclSyntaxProtocol & WithOptionalCodeBlockSyntax,
            in context: some MacroExpansionContext
        ) throws -> [CodeBlockItemSyntax] {
            guard let function = declaration.as(FunctionDeclSyntax.self) else {
                let kind = declaration.is(InitializerDeclSyntax.self) ? "an initializer" : "anything but a function"
                context.diagnose(node, "@Traced does not work on \(kind): move what is to be traced into a function")
                return declaration.body.map { Array($0.statements) } ?? []
            }
            guard let body = function.body else {
                context.diagnose(node, "@Traced needs a body: put it on the function that implements this one")
                return []
            }
            let arguments = TracedArguments(node, function, context)
            return ["\(raw: expansion(function, body, arguments, context))"]
        }

        private static func expansion(
            _ function: FunctionDeclSyntax,
            _ body: CodeBlockSyntax,
            _ arguments: TracedArguments,
            _ context: some MacroExpansionContext
        ) -> String {
            let effects = Effects(function.signature)
            var call = [arguments.name ?? "\"\(spanName(function, context))\""]
            if let kind = arguments.kind { call.append("kind: \(kind)") }
            // An argument of the function that has this name stays what it is.
            let spanName = function.parameterNames.contains("span") ? "_tracedSpan" : "span"

            var lines = arguments.attributes.map { attribute in
                "\(spanName).setAttribute(\"\(attribute.key)\", describing: \(attribute.argument))"
            }
            let isolation = function.isolatedParameters.map { "_ = `\($0)`\n" }.joined()
            var statements = body.statements.description
            // A body of one expression gives it back without saying so, which it may only where nothing stands beside it.
            if !isolation.isEmpty {
                statements = isolation + (function.givesBackExpression ? "return " : "") + statements
            }
            let inner = "\(effects.prefix){ ()\(effects.signature) in\n\(statements)\n}()"
            if let key = arguments.resultKey {
                let result = context.makeUniqueName("result")
                lines.append("let \(result) = \(inner)")
                lines.append("\(spanName).setAttribute(\"\(key)\", describing: \(result))")
                lines.append("return \(result)")
            } else {
                lines.append(lines.isEmpty ? statements : "return \(inner)")
            }
            let prefix = function.signature.returnClause.map { _ in "return " } ?? ""
            return """
                \(prefix)\(effects.prefix)Skein.withSpan(\(call.joined(separator: ", "))) { \
                (\(spanName): SkeinSpan)\(effects.signature) in
                \(isolation)\(lines.joined(separator: "\n"))
                }
                """
        }

        /// `Type.function` for a member and `function` alone for another.
        private static func spanName(_ function: FunctionDeclSyntax, _ context: some MacroExpansionContext) -> String {
            let owner: String? = context.lexicalContext.lazy.compactMap { node in
                if let node = node.asProtocol((any NamedDeclSyntax).self), !node.is(FunctionDeclSyntax.self) {
                    node.name.identifierText
                } else {
                    node.as(ExtensionDeclSyntax.self)?.extendedType.trimmedDescription
                }
            }.first
            let name = (owner.map { "\($0)." } ?? "") + function.name.identifierText
            return String(name.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] })
        }
    }

    /// What the closure has in common with the function.
    private struct Effects {
        /// `try await `, as far as it is needed.
        var prefix = ""
        /// ` async throws(E) -> R`, as far as it can be written.
        var signature = ""

        init(_ function: FunctionSignatureSyntax) {
            let specifiers = function.effectSpecifiers
            // Whether a function that rethrows does, the compiler finds out from the closure.
            if let clause = specifiers?.throwsClause {
                prefix = "try "
                if clause.throwsSpecifier.tokenKind != .keyword(.rethrows) {
                    signature = " \(clause.trimmedDescription)"
                }
            }
            if specifiers?.asyncSpecifier != nil {
                prefix += "await "
                signature = " async" + signature
            }
            guard let type = function.returnClause?.type else {
                signature += " -> Void"
                return
            }
            // A type that has no name is found out from what is returned, and an optional that is unwrapped on use is one inside.
            if let unwrapped = type.as(ImplicitlyUnwrappedOptionalTypeSyntax.self) {
                signature += " -> (\(unwrapped.wrappedType.trimmedDescription))?"
            } else if !type.hasOpaquePart {
                signature += " -> \(type.trimmedDescription)"
            }
        }
    }

    extension TypeSyntax {
        fileprivate var hasOpaquePart: Bool {
            tokens(viewMode: .sourceAccurate).contains { $0.tokenKind == .keyword(.some) }
        }
    }

    extension TokenSyntax {
        /// Without the backticks of a name that is a keyword or a sentence.
        var identifierText: String { identifier?.name ?? text }
    }

    extension FunctionDeclSyntax {
        /// The names of the arguments inside of the body.
        var parameterNames: [String] {
            signature.parameterClause.parameters.map { ($0.secondName ?? $0.firstName).identifierText }
        }

        /// Whether the body is one expression, which is what the function gives back.
        var givesBackExpression: Bool {
            guard signature.returnClause != nil, let statements = body?.statements, statements.count == 1 else {
                return false
            }
            if case .expr = statements.first?.item { return true }
            return false
        }

        /// The arguments whose actor the function belongs to; a closure belongs to it only if it has the argument.
        var isolatedParameters: [String] {
            zip(signature.parameterClause.parameters, parameterNames).compactMap { parameter, name in
                let specifiers = parameter.type.as(AttributedTypeSyntax.self)?.specifiers ?? []
                let isIsolated = specifiers.contains {
                    $0.as(SimpleTypeSpecifierSyntax.self)?.specifier.tokenKind == .keyword(.isolated)
                }
                return isIsolated && name != "_" ? name : nil
            }
        }
    }
#endif
