// SPDX-License-Identifier: Apache-2.0
#if GRPC
    import GRPCCore
    import SkeinRecording
    import Tracing

    /// Reads and writes a trace in the metadata of a call, whose keys are in lower case.
    struct MetadataCarrier: Injector, Extractor, HeaderListing {
        func inject(_ value: String, forKey key: String, into metadata: inout Metadata) {
            metadata.replaceOrAddString(value, forKey: key.lowercased())
        }

        func extract(key: String, from metadata: Metadata) -> String? {
            let values = Array(metadata[stringValues: key])
            return values.isEmpty ? nil : values.joined(separator: ",")
        }

        func names(of carrier: Any) -> [String]? { (carrier as? Metadata)?.map { $0.key.lowercased() } }
    }
#endif
