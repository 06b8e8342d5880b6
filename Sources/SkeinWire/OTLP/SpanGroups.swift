// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The rows of a batch as OTLP nests them: by resource, then by scope, each in order of first appearance.
struct SpanGroups {
    struct Scope {
        var scope: Int
        var rows: [Int]
    }

    struct Resource {
        var resource: Int
        var scopes: [Scope]
    }

    private(set) var resources: [Resource] = []

    init(_ batch: SpanBatch) {
        var places: [UInt64: (resource: Int, scope: Int)] = [:]
        var resourcePlaces: [Int: Int] = [:]
        var last: UInt64?
        var place = (resource: 0, scope: 0)
        for row in 0..<batch.count {
            let key = UInt64(batch.resourceRows[row]) << 32 | UInt64(batch.scopeRows[row])
            if key != last {
                last = key
                if let known = places[key] {
                    place = known
                } else {
                    let resource = Int(batch.resourceRows[row])
                    if let known = resourcePlaces[resource] {
                        place.resource = known
                    } else {
                        place.resource = resources.count
                        resourcePlaces[resource] = place.resource
                        resources.append(Resource(resource: resource, scopes: []))
                    }
                    place.scope = resources[place.resource].scopes.count
                    resources[place.resource].scopes.append(Scope(scope: Int(batch.scopeRows[row]), rows: []))
                    places[key] = place
                }
            }
            resources[place.resource].scopes[place.scope].rows.append(row)
        }
    }
}
