// SPDX-License-Identifier: Apache-2.0

/// Jaeger's own formats (jaeger-idl 0.6 `thrift/jaeger.thrift`, `thrift/agent.thrift`), in.
package enum Jaeger {}
