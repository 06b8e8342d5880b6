// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Prices that may change while they are asked for.
package final class ModelPriceBook: Sendable {
    private let prices: Mutex<ModelPrices>

    /// Without prices nothing costs more than clients say.
    package init(_ prices: ModelPrices = ModelPrices()) { self.prices = Mutex(prices) }

    package var current: ModelPrices { prices.withLock { $0 } }

    /// For whatever is read from now on.
    package func set(_ prices: ModelPrices) { self.prices.withLock { $0 = prices } }
}
