// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Sums up what services take. Those beyond ``NameList/countMax`` are summed up together.
struct Usage {
    private struct Sum {
        var spanCount = 0
        var byteCount = 0.0

        mutating func add(_ count: Int, _ byteCount: Double) {
            spanCount &+= count
            self.byteCount += byteCount
        }
    }

    private var sums: [ExactText: Sum] = [:]
    private var others = Sum()

    /// Adds a block, whose bytes are shared out by spans.
    mutating func add(_ stored: StoredBlock) throws(StoreError) {
        let perSpan = Double(stored.footer.byteCount) / Double(max(stored.footer.spanCount, 1))
        if let services = try stored.names()[.services] {
            for (key, facts) in zip(services.keys, services.facts) { add(key.name, facts.count, perSpan) }
        } else {
            try stored.block.forEachOperation { _, service, _, count in
                add(String(decoding: service, as: UTF8.self), count, perSpan)
            }
        }
    }

    mutating func add(_ batch: SpanBatch) {
        var spans: [SpanBatch.Ref: Int] = [:]
        for row in batch.resourceRows { spans[batch.resources.serviceNameRefs[Int(row)], default: 0] += 1 }
        let perSpan = Double(batch.byteCount) / Double(max(batch.count, 1))
        for (service, count) in spans { add(batch.dictionary.string(service), count, perSpan) }
    }

    private mutating func add(_ service: String, _ count: Int, _ perSpan: Double) {
        let name = ExactText(service)
        if let place = sums.index(forKey: name) {
            sums.values[place].add(count, Double(count) * perSpan)
        } else if sums.count < NameList<ServiceName>.countMax {
            sums[name] = Sum(spanCount: count, byteCount: Double(count) * perSpan)
        } else {
            others.add(count, Double(count) * perSpan)
        }
    }

    /// Most bytes first, ties by name.
    var services: [ServiceUsage] {
        var services = sums.map { name, sum in
            ServiceUsage(name: name.text, spanCount: sum.spanCount, byteCount: Int(sum.byteCount))
        }
        services.sort { $0.precedes($1) }
        if others.spanCount > 0 {
            services.append(
                ServiceUsage(name: nil, spanCount: others.spanCount, byteCount: Int(others.byteCount))
            )
        }
        return services
    }
}
