// SPDX-License-Identifier: Apache-2.0

/// A decoder of bytes from outside, as libFuzzer calls it.
///
/// Bytes that are refused are as good as bytes that are read; what a target finds is a trap, a leak of memory, a time out of
/// proportion, or a broken promise about what was read (``Soundness``). Its kept inputs lie in `Fuzz/Corpus/<name>/`.
struct FuzzTarget: Sendable {
    /// Also the folder of its inputs.
    let name: String
    /// Inputs to begin with, where they are made and not collected.
    var seeds: @Sendable () -> [[UInt8]] = { [] }
    /// Decodes one input with a decoder of its own, so that an input alone says what happens.
    let run: @Sendable (UnsafeRawBufferPointer) -> Void

    /// All there are.
    static let all = otlp + jaeger + zipkin + files + compressed + texts + propagation + stored + mcp
}
