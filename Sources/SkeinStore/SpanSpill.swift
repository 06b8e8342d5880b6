// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// A place outside of memory for batches that somebody will want back soon, or never: nothing of it outlives the process.
///
/// Safe to use from many tasks; whoever waits blocks no thread.
package protocol SpanSpill: Sendable {
    /// Bytes that it takes now.
    var byteCount: Int { get }

    /// Writes batches, all or none. Throws ``StoreError/Code/full`` when there is no room for them, another code when the
    /// device refuses.
    func write(_ batches: [SpanBatch]) async throws(StoreError) -> [any SpilledBatch]
}

/// A batch that was spilled. What it takes is given back some time after the last reference to it went.
package protocol SpilledBatch: AnyObject, Sendable {
    /// The batch as it was. Throws ``StoreError/Code/corrupt`` when its bytes are not what was written.
    func read() async throws(StoreError) -> SpanBatch
}
