// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Threads beside Swift's cooperative pool, for what waits.
package enum OwnThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a new thread that nobody waits for.
    package static func detach(_ body: @escaping @Sendable () -> Void) {
        // No thread is to be had: late is better than never.
        if !start(body) { body() }
    }

    /// Runs `body` on a new thread that nobody waits for; `false`, and nothing else, when no thread is to be had.
    package static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(Body(body)).toOpaque()
        #if canImport(Darwin)
            var thread: pthread_t?
            let code = pthread_create(
                &thread,
                nil,
                {
                    Unmanaged<Body>.fromOpaque($0).takeRetainedValue().run(); return nil
                },
                box
            )
            if code == 0, let thread { pthread_detach(thread) }
        #else
            var thread = pthread_t()
            let code = pthread_create(
                &thread,
                nil,
                { box in
                    if let box { Unmanaged<Body>.fromOpaque(box).takeRetainedValue().run() }
                    return nil
                },
                box
            )
            if code == 0 { pthread_detach(thread) }
        #endif
        if code != 0 { Unmanaged<Body>.fromOpaque(box).release() }
        return code == 0
    }

    /// What `body`, which waits, gives back.
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            detach { continuation.resume(returning: body()) }
        }
    }
}
