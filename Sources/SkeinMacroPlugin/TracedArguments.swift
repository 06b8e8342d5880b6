// SPDX-License-Identifier: Apache-2.0
#if Macros
    import SwiftDiagnostics
    import SwiftSyntax
    import SwiftSyntaxBuilder
    import SwiftSyntaxMacros

    /// What is written in the parentheses of `@Traced`, as source.
    struct TracedArguments {
        struct Attribute {
            var key: String
            /// The argument as it is written inside of the function.
            var argument: String
        }

        private(set) var name: String?
        private(set) var kind: String?
        private(set) var attributes: [Attribute] = []
        private(set) var resultKey: String?

        init(_ node: AttributeSyntax, _ function: FunctionDeclSyntax, _ context: some MacroExpansionContext) {
            for argument in node.arguments?.as(LabeledExprListSyntax.self) ?? [] {
                let expression = argument.expression
                switch argument.label?.text {
                case nil: name = expression.trimmedDescription
                case "kind": kind = expression.trimmedDescription
                case "attributes":
                    guard let list = expression.as(ArrayExprSyntax.self) else {
                        context.diagnose(expression, "the attributes are read by the compiler: write them as a list")
                        continue
                    }
                    for element in list.elements { add(element.expression, function, context) }
                default: continue
                }
            }
        }

        /// Adds `.argument("id", as: "user.id")`, `.result` or `.result(as: "count")`.
        private mutating func add(
            _ element: ExprSyntax,
            _ function: FunctionDeclSyntax,
            _ context: some MacroExpansionContext
        ) {
            let call = element.as(FunctionCallExprSyntax.self)
            let member = (call?.calledExpression ?? element).as(MemberAccessExprSyntax.self)?.declName.baseName.text
            let arguments = call?.arguments ?? []
            let named = arguments.first { $0.label?.text == "as" }
            switch member {
            case "argument":
                guard let argument = arguments.first, let name = literal(argument.expression, context) else { return }
                addArgument(name, argument.expression, key: named, function, context)
            case "result":
                guard function.signature.returnClause?.type.isVoid == false else {
                    context.diagnose(element, "'\(function.name.text)' gives nothing back that could be an attribute")
                    return
                }
                guard let key = named.map({ literal($0.expression, context) }) ?? "result" else { return }
                resultKey = key
            default:
                context.diagnose(element, "write '.argument(\"name\")' or '.result' here: the compiler has to read it")
            }
        }

        private mutating func addArgument(
            _ name: String,
            _ literal: ExprSyntax,
            key: LabeledExprSyntax?,
            _ function: FunctionDeclSyntax,
            _ context: some MacroExpansionContext
        ) {
            let names = function.parameterNames.filter { $0 != "_" }
            guard names.contains(name) else {
                diagnose(name, literal, function, names, context)
                return
            }
            guard let key = key.map({ self.literal($0.expression, context) }) ?? name else { return }
            guard !attributes.contains(where: { $0.key == key }) else {
                context.diagnose(
                    literal,
                    "there is an attribute '\(key)' already: give this one another name with 'as:'"
                )
                return
            }
            attributes.append(Attribute(key: key, argument: "`\(name)`"))
        }

        /// The text of a literal without interpolation.
        private func literal(_ expression: ExprSyntax, _ context: some MacroExpansionContext) -> String? {
            let segments = expression.as(StringLiteralExprSyntax.self)?.segments ?? []
            if segments.count == 1, let text = segments.first?.as(StringSegmentSyntax.self)?.content.text,
                !text.isEmpty, !text.contains(where: { $0 == "\"" || $0 == "\\" || $0.isNewline })
            {
                return text
            }
            context.diagnose(expression, "write a name in quotes here: the compiler has to read it")
            return nil
        }

        /// Says that there is no such argument, and offers the one that is meant.
        private func diagnose(
            _ name: String,
            _ literal: ExprSyntax,
            _ function: FunctionDeclSyntax,
            _ names: [String],
            _ context: some MacroExpansionContext
        ) {
            let labelled = function.signature.parameterClause.parameters.first { $0.firstName.identifierText == name }
            let nearest =
                labelled?.secondName?.identifierText
                ?? names.map { ($0, distance($0, name)) }.filter { $0.1 <= max(2, name.count / 2) }
                .min { $0.1 < $1.1 }?.0
            let message =
                "'\(function.name.text)' has no argument '\(name)'"
                + (nearest.map { "; did you mean '\($0)'?" }
                    ?? (names.isEmpty ? "" : "; it has \(names.map { "'\($0)'" }.joined(separator: ", "))"))
            context.diagnose(literal, message, replacement: nearest.map { "\"\($0)\"" })
        }
    }

    /// How many characters have to be put in, taken out or changed to make `a` of `b` (Levenshtein), case aside.
    private func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.lowercased()), Array(b.lowercased()))
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let next = min(row[j + 1] + 1, row[j] + 1, diagonal + (left == right ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }

    extension TypeSyntax {
        fileprivate var isVoid: Bool {
            ["Void", "()", "Swift.Void", "Never"].contains(trimmedDescription)
        }
    }
#endif
