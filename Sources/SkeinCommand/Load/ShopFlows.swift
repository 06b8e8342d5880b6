// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What the customers of the shop do, and how often.
enum ShopFlows {
    /// Each flow with its share of the traffic.
    static let all: [(share: Int, step: ShopStep)] = [
        (26, home), (32, product), (14, search), (10, addToCart), (8, viewCart), (7, checkout), (3, login),
    ]

    /// What happens to an order later, in a trace of its own that is linked to the one that placed it.
    static let notification = ShopStep(
        service: "notification",
        name: "orders process",
        kind: .consumer,
        micros: 5_000,
        attributes: messaging + [
            Attribute("messaging.operation.type", "process"),
            Attribute("messaging.consumer.group.name", "notification"),
        ],
        details: [.order, .user]
    ).with(
        ShopStep.work("notification", "renderTemplate", micros: 7_000, details: [.order]).always,
        ShopStep(
            service: "notification",
            name: "POST",
            kind: .client,
            micros: 48_000,
            failureRate: 0.03,
            attributes: [
                Attribute("http.request.method", "POST"), Attribute("url.full", "https://mail.example/send"),
                Attribute("server.address", "mail.example"), Attribute("server.port", 443),
            ],
            details: [.httpStatus]
        ).always
    )

    static let languages: [String: String] = [
        "frontend": "nodejs", "cart": "dotnet", "catalog": "go", "checkout": "go", "payment": "java",
        "shipping": "rust", "currency": "cpp", "recommendation": "python", "auth": "swift", "inventory": "java",
        "notification": "ruby",
    ]

    private static let messaging: [Attribute] = [
        Attribute("messaging.system", "kafka"), Attribute("messaging.destination.name", "orders"),
    ]

    private static let session = ShopStep.call(
        "frontend",
        "auth",
        "AuthService/ValidateSession",
        micros: 700,
        details: [.session],
        ShopStep.database("auth", "redis", "GET session:?", micros: 300).always,
        ShopStep.database("auth", "postgresql", "SELECT id, email FROM users WHERE id = $1", micros: 1_300).sometimes(
            0.1
        )
    )
    private static let cart = ShopStep.call(
        "frontend",
        "cart",
        "CartService/GetCart",
        micros: 800,
        details: [.cart],
        ShopStep.database("cart", "redis", "HGETALL cart:?", micros: 450).always
    )
    private static let details = ShopStep.call(
        "frontend",
        "catalog",
        "CatalogService/GetProduct",
        micros: 900,
        details: [.product],
        ShopStep.database("catalog", "redis", "GET product:?", micros: 350).always,
        ShopStep.database("catalog", "postgresql", "SELECT id, name, price FROM products WHERE id = $1", micros: 1_900)
            .sometimes(0.3)
    )
    private static let prices = ShopStep.call("frontend", "currency", "CurrencyService/Convert", micros: 220)
    private static let recommendations = ShopStep.call(
        "frontend",
        "recommendation",
        "RecommendationService/List",
        micros: 3_500,
        event: "cache.miss",
        ShopStep.call(
            "recommendation",
            "catalog",
            "CatalogService/ListProducts",
            micros: 1_800,
            ShopStep.database("catalog", "postgresql", "SELECT id, name FROM products LIMIT 24", micros: 3_900)
                .sometimes(0.6)
        ).always,
        ShopStep.work("recommendation", "scoreCandidates", micros: 6_500).always
    )

    private static let home = ShopStep.page("GET", "/", micros: 3_000)
        .with(session.always, recommendations.sometimes(0.8), prices.always, cart.always, parallel: true)
    private static let product = ShopStep.page("GET", "/product/{id}", micros: 2_500)
        .with(session.sometimes(0.5), details.always, prices.always, recommendations.sometimes(0.9), parallel: true)
    private static let search = ShopStep.page("GET", "/search", micros: 3_000).with(
        ShopStep.call(
            "frontend",
            "catalog",
            "CatalogService/Search",
            micros: 7_000,
            details: [.search],
            ShopStep.database("catalog", "postgresql", "SELECT id, rank FROM products WHERE text @@ $1", micros: 9_000)
                .always,
            ShopStep.work("catalog", "rankResults", micros: 5_000).always
        ).always,
        prices.sometimes(0.7, 1...8)
    )
    private static let addToCart = ShopStep.page("POST", "/cart", micros: 2_500).with(
        session.always,
        details.always,
        ShopStep.call(
            "frontend",
            "cart",
            "CartService/AddItem",
            micros: 1_000,
            details: [.product, .cart],
            event: "cart.updated",
            ShopStep.database("cart", "redis", "HSET cart:?", micros: 500).always
        ).always
    )
    private static let viewCart = ShopStep.page("GET", "/cart", micros: 2_500)
        .with(session.always, cart.always, details.sometimes(1, 1...6), prices.sometimes(1, 1...3))
    private static let login = ShopStep.page("POST", "/login", micros: 2_500).with(
        ShopStep.call(
            "frontend",
            "auth",
            "AuthService/Login",
            micros: 3_000,
            failureRate: 0.05,
            ShopStep.database("auth", "postgresql", "SELECT id, hash FROM users WHERE email = $1", micros: 1_500)
                .always,
            ShopStep.work("auth", "verifyPassword", micros: 52_000).always
        ).always
    )

    private static let checkout = ShopStep.page("POST", "/checkout", micros: 4_000)
        .with(session.always, placeOrder.always)
    private static let placeOrder = ShopStep.call(
        "frontend",
        "checkout",
        "CheckoutService/PlaceOrder",
        micros: 3_000,
        details: [.order, .cart],
        ShopStep.call(
            "checkout",
            "cart",
            "CartService/GetCart",
            micros: 800,
            details: [.cart],
            ShopStep.database("cart", "redis", "HGETALL cart:?", micros: 450).always
        ).always,
        ShopStep.work("checkout", "prepareItem", micros: 350, details: [.product]).with(
            ShopStep.call("checkout", "currency", "CurrencyService/Convert", micros: 220).always
        ).sometimes(1, 1...5),
        ShopStep.call("checkout", "shipping", "ShippingService/GetQuote", micros: 12_000).always,
        ShopStep.call(
            "checkout",
            "inventory",
            "InventoryService/Reserve",
            micros: 2_500,
            failureRate: 0.02,
            details: [.order],
            ShopStep.database("inventory", "postgresql", "SELECT sku, available FROM stock FOR UPDATE", micros: 2_100)
                .always,
            ShopStep.database("inventory", "postgresql", "UPDATE stock SET reserved = reserved + $1", micros: 2_900)
                .sometimes(1, 1...3)
        ).always,
        payment.always,
        ShopStep.database("checkout", "postgresql", "INSERT INTO orders VALUES ($1, $2, $3)", micros: 3_400).always,
        ShopStep(
            service: "checkout",
            name: "orders publish",
            kind: .producer,
            micros: 2_000,
            attributes: messaging + [Attribute("messaging.operation.type", "send")],
            details: [.order],
            event: "message.sent"
        ).always
    )
    private static let payment = ShopStep.call(
        "checkout",
        "payment",
        "PaymentService/Charge",
        micros: 20_000,
        failureRate: 0.04,
        details: [.order],
        ShopStep.work("payment", "fraudCheck", micros: 21_000, details: [.user]).always,
        ShopStep(
            service: "payment",
            name: "POST",
            kind: .client,
            micros: 140_000,
            failureRate: 0.04,
            attributes: [
                Attribute("http.request.method", "POST"), Attribute("url.full", "https://psp.example/v1/charges"),
                Attribute("server.address", "psp.example"), Attribute("server.port", 443),
            ],
            details: [.httpStatus, .order]
        ).always
    )
}
