// SPDX-License-Identifier: Apache-2.0
import SkeinRecording
import Testing

@Suite struct HTTPConventionsTests {
    @Test(arguments: [
        ("https://example.com/a?b=c#access_token=d", "https://example.com/a?b=c"),
        ("https://user:pass@example.com/a@b", "https://REDACTED:REDACTED@example.com/a@b"),
        ("https://token@example.com?sig=1&a=sig", "https://REDACTED@example.com?sig=REDACTED&a=sig"),
        ("http://h/?X-Goog-Signature=a=b&&c#?sig=1", "http://h/?X-Goog-Signature=REDACTED&&c"),
        ("http://h/?%73ig=1&%53ignature=2&%zz=3&%7=4", "http://h/?%73ig=REDACTED&%53ignature=REDACTED&%zz=3&%7=4"),
        ("/path?q=@", "/path?q=@"), ("", ""),
    ])
    func `credentials in an address are left out`(url: String, redacted: String) {
        #expect(HTTPConventions.redacted(url: url) == redacted)
    }

    @Test func `an authority is host and port`() {
        #expect(HTTPConventions.hostAndPort("example.com") == ("example.com", nil))
        #expect(HTTPConventions.hostAndPort("example.com:80") == ("example.com", 80))
        #expect(HTTPConventions.hostAndPort("[::1]:80") == ("::1", 80))
        #expect(HTTPConventions.hostAndPort("[::1]") == ("::1", nil))
        #expect(HTTPConventions.hostAndPort("a:b") == ("a", nil))
    }
}
