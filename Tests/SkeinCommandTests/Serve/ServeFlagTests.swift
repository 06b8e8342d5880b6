// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import SkeinServer
import Testing

@testable import SkeinCommand

@Suite struct ServeFlagTests {
    @Test(arguments: Setting.all.filter { !$0.key.hasPrefix("listen.") && $0.key != "insecure-no-auth" }.map(\.key))
    func `every setting has its flag`(key: String) throws {
        let serve = try #require(try Serve.parseAsRoot(["--\(key)", "some value"]) as? Serve)
        #expect(try serve.flags()[key] == "some value")
    }
}
