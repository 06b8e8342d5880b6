// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import SkeinTestKit
import Testing

@Suite struct MemoryStoreTests {
    @Test(arguments: StoreContract.cases)
    func `the memory store keeps the contract`(check: StoreContract.Case) async throws {
        try await check.run(MemoryStore())
    }
}
