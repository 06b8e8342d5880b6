// SPDX-License-Identifier: Apache-2.0
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A socket that could not be bound.
package struct ListenError: Error, CustomStringConvertible {
    /// Name of the listener, as in `--listen NAME=HOST:PORT`.
    package var listener: String
    package var address: ListenAddress
    private var reason: String

    /// Explains `error`, which binding `address` for `listener` met.
    package init(_ listener: String, _ address: ListenAddress, _ error: any Error) {
        self.listener = listener
        self.address = address
        let elsewhere = "choose another with --listen \(listener)=HOST:PORT, or --listen \(listener)=off"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            reason = "port \(address.port) is in use by another program: stop that one, or \(elsewhere)"
        case EACCES:
            reason = "this user may not listen on port \(address.port): \(elsewhere)"
        case EADDRNOTAVAIL:
            reason = "this machine has no address \(address.host): \(elsewhere)"
        default:
            reason = "\(error): \(elsewhere)"
        }
    }

    package var description: String { "cannot listen for \(listener) on \(address): \(reason)" }
}
