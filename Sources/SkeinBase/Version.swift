// SPDX-License-Identifier: Apache-2.0

/// Which Skein this is, server and SDK alike.
package enum Version {
    /// As in the changelog.
    package static let current = "0.1.0"
}
