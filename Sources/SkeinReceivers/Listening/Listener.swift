// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
package import ServiceLifecycle

/// A door: a socket that is bound first, so that every failure to bind is known before anything starts, and then served.
package protocol Listener: Service {
    /// As in `--listen NAME=HOST:PORT`.
    var name: String { get }
    /// Binds the socket and returns where. Clients may connect from here on. Call once, before `run()`.
    func bind() async throws(ListenError) -> ListenAddress
}

extension Channel {
    /// Returns when this listening socket is closed, which shutdown and cancellation do: no connection comes in then.
    func serveUntilShutdown() async {
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                try? await closeFuture.get()
            } onCancel: {
                close(promise: nil)
            }
        } onGracefulShutdown: {
            self.close(promise: nil)
        }
    }
}
