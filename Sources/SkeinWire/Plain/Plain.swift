// SPDX-License-Identifier: Apache-2.0

/// Spans as people and scripts write them by hand, in.
package enum Plain {}
