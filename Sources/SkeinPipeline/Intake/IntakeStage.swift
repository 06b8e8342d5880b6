// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Something that is done to the spans of a request on their way to the store: weighing, limiting, scrubbing, sampling.
///
/// The pipeline runs its stages in order, once a request, and hands each what the one before it kept. A stage counts what
/// it leaves out, by reason, in telemetry of its own.
package protocol IntakeStage: Sendable {
    /// What goes on of `batch`: the same batch, or one with rows left out or changed. A ``Refusal`` refuses the request
    /// whole; nothing of it is kept then, by later stages or by the store.
    ///
    /// Called by many requests at once, on their threads: it neither waits nor blocks for long.
    func process(_ batch: SpanBatch, from source: IntakeSource) throws(Refusal) -> SpanBatch
}

/// Where the spans of a request came from.
package struct IntakeSource: Sendable {
    /// The value of the `protocol` label, such as `otlp-http`.
    package var protocolName: StaticString
    /// Somebody imports these traces and wants all of them: no sampling leaves any out.
    package var isImport: Bool

    package init(protocolName: StaticString, isImport: Bool = false) {
        self.protocolName = protocolName
        self.isImport = isImport
    }
}
