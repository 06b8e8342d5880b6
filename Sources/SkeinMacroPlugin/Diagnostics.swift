// SPDX-License-Identifier: Apache-2.0
#if Macros
    import SwiftDiagnostics
    import SwiftSyntax
    import SwiftSyntaxBuilder
    import SwiftSyntaxMacros

    /// An error of whoever wrote `@Traced`, or how to mend it.
    private struct Message: DiagnosticMessage, FixItMessage {
        var message: String

        var diagnosticID: MessageID { MessageID(domain: "SkeinMacros", id: "Traced") }
        var fixItID: MessageID { diagnosticID }
        var severity: DiagnosticSeverity { .error }
    }

    extension MacroExpansionContext {
        /// Reports an error at `node`, and offers to put `replacement` in its place.
        func diagnose(_ node: some SyntaxProtocol, _ message: String, replacement: String? = nil) {
            let fixIt = replacement.map { text in
                let new: ExprSyntax = "\(raw: text)"
                return FixIt(
                    message: Message(message: "write \(text)"),
                    changes: [.replace(oldNode: Syntax(node), newNode: Syntax(new))]
                )
            }
            diagnose(
                Diagnostic(node: node, message: Message(message: message), fixIts: fixIt.map { [$0] } ?? [])
            )
        }
    }
#endif
