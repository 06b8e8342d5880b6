// SPDX-License-Identifier: Apache-2.0
#if Macros
    import SwiftCompilerPlugin
    import SwiftSyntaxMacros

    @main struct Plugin: CompilerPlugin {
        let providingMacros: [any Macro.Type] = [TracedMacro.self]
    }
#else
    /// Without the trait there is no macro, and the compiler asks for none.
    @main struct Plugin {
        static func main() {}
    }
#endif
