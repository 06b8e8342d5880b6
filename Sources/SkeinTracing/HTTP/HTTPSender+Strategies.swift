// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinWire

extension HTTPTarget {
    /// Jaeger's sampling port at an address that need not name its scheme, `http`.
    static func strategies(at endpoint: String) -> HTTPTarget {
        HTTPTarget(url: Endpoint(endpoint, scheme: .http)?.description ?? endpoint)
    }
}

extension HTTPSender {
    /// What Jaeger's sampling port has for a service (`GET /sampling?service=NAME`).
    func strategy(
        of service: String,
        by deadline: ContinuousClock.Instant
    ) -> Result<[UInt8], JaegerRemoteSampler.SourceFailure> {
        do throws(Failure) {
            return .success(try get(query: "service=\(Self.escaped(service))", by: deadline).body)
        } catch {
            return .failure(.init(error.reason))
        }
    }

    /// Percent-encoded but for what needs it nowhere (RFC 3986 §2.3).
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return escaped
    }
}

/// Basic authentication (RFC 7617).
enum BasicAuthentication {
    static func header(_ user: String, _ password: String) -> String {
        var encoded = ByteWriter()
        Array("\(user):\(password)".utf8).withUnsafeBytes { Base64.append($0, to: &encoded) }
        return "Basic \(String(decoding: encoded.bytes, as: UTF8.self))"
    }
}
