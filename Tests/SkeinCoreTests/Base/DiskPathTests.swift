// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Testing

@Suite struct DiskPathTests {
    @Test func `the parent of a path is the folder that its name lies in`() {
        let parents = ["/a/b": "/a", "/a": "/", "/": "/", "a/b//": "a", "//a": "/", "a//b": "a"]
        for (path, parent) in parents { #expect(DiskPath.parent(of: path) == parent, "\(path)") }
        for path in ["", "a", "a/"] { #expect(DiskPath.parent(of: path) == nil, "\(path)") }
    }
}
