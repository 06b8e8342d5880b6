#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deterministic OTLP trace corpus: an online shop of 12 services.

Writes PREFIX.corpus (request bodies plus the offsets a replayer has to patch)
and PREFIX.truth.jsonl (what the corpus holds, one line per trace), so that a
query bench can check answers exactly.  Timestamps in the file are relative to
the corpus start (t=0) and trace ids are raw; the replayer adds a base time and
XORs a pass key into bytes 0..7 of every trace id (span links included).

  python3 gen_corpus.py --spans 1000000 --seed 7 --out data/shop

Only the standard library is used; OTLP is hand-encoded.  The result depends on
--seed, --spans, --rate, --batch and --chunk only, never on --procs.
"""
import argparse, heapq, json, math, multiprocessing as mp, os, random, struct, sys, time

MAGIC = b"OTLPCRP1"
NS = 1_000_000_000


# ---------------------------------------------------------------- protobuf
def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def ld(field, payload):
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def any_value(v):
    if isinstance(v, bool):
        return b"\x10" + (b"\x01" if v else b"\x00")
    if isinstance(v, int):
        return b"\x18" + varint(v & 0xFFFFFFFFFFFFFFFF)
    if isinstance(v, float):
        return b"\x21" + struct.pack("<d", v)
    if isinstance(v, (list, tuple)):
        return ld(5, b"".join(ld(1, any_value(x)) for x in v))
    return ld(1, v.encode())


def key_value(k, v):
    return ld(1, k.encode()) + ld(2, any_value(v))


_kv_cache = {}


def attr(k, v):
    """Span.attributes entry (field 9); cached, for low-cardinality pairs."""
    b = _kv_cache.get((k, v))
    if b is None:
        b = _kv_cache[(k, v)] = ld(9, key_value(k, v))
    return b


def attr1(k, v):
    """Span.attributes entry for a short (<90 byte) string value, uncached."""
    kb, vb = k.encode(), v.encode()
    lk, lv = len(kb), len(vb)
    return bytes((0x4A, lk + lv + 6, 0x0A, lk)) + kb + bytes((0x12, lv + 2, 0x0A, lv)) + vb


# ---------------------------------------------------------------- the shop
SERVICES = {  # name: (pods, language, version, scope)
    "frontend": (4, "nodejs", "3.14.2", "@opentelemetry/instrumentation-http"),
    "cart": (2, "dotnet", "1.8.0", "OpenTelemetry.Instrumentation.AspNetCore"),
    "catalog": (3, "go", "2.3.1", "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"),
    "checkout": (2, "go", "2.9.0", "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"),
    "payment": (2, "nodejs", "1.4.7", "@opentelemetry/instrumentation-grpc"),
    "shipping": (1, "rust", "0.9.12", "opentelemetry-rust"),
    "currency": (1, "cpp", "1.0.3", "opentelemetry-cpp"),
    "recommendation": (2, "python", "4.2.0", "opentelemetry.instrumentation.grpc"),
    "ad": (1, "java", "5.1.0", "io.opentelemetry.grpc-1.6"),
    "auth": (1, "swift", "1.2.0", "swift-otel"),
    "inventory": (2, "java", "7.0.4", "io.opentelemetry.jdbc"),
    "notification": (1, "ruby", "2.0.1", "OpenTelemetry::Instrumentation::Rdkafka"),
}
SVC = list(SERVICES)
SVC_IX = {s: i for i, s in enumerate(SVC)}
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
UA = ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
      "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "ShopApp/8.2.1 (Android 14; Pixel 8)"]
USERS = 40_000
ERROR_SCALE = 12.0  # gives about 2% of spans an error status (failures propagate to callers)
PRODUCTS = 3_000
ERRORS = {
    "grpc": ("DeadlineExceeded", "context deadline exceeded while calling {s}: attempt {n} of 3"),
    "db": ("PSQLException", "ERROR: canceling statement due to lock timeout (relation {n})"),
    "payment": ("CardDeclinedError", "card declined by issuer, reference {n}"),
    "http": ("UpstreamError", "502 from {s}: connection reset by peer (request {n})"),
}
FRAMES = ["shop.{s}.handlers.Dispatch.invoke(Dispatch:{a})", "shop.{s}.rpc.ClientInterceptor.call(ClientInterceptor:{b})",
          "shop.{s}.store.Pool.acquire(Pool:{c})", "shop.{s}.store.Session.execute(Session:{a})",
          "shop.{s}.core.Retry.run(Retry:{b})", "shop.common.Tracing.span(Tracing:77)", "shop.common.Worker.run(Worker:312)",
          "runtime.ThreadPool.runWorker(ThreadPool:1136)", "runtime.Thread.run(Thread:840)"]


def resource(svc, pod):
    _, lang, ver, _ = SERVICES[svc]
    node = (SVC_IX[svc] * 3 + pod) % 6
    uid = random.Random(f"{svc}{pod}").getrandbits(128)
    h = f"{uid:032x}"
    kv = [("service.name", svc), ("service.namespace", "shop"), ("service.version", ver),
          ("service.instance.id", f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"), ("deployment.environment.name", "production"),
          ("host.name", f"node-{node}.prod.example"), ("k8s.cluster.name", "prod-eu-1"), ("k8s.namespace.name", "shop"),
          ("k8s.deployment.name", svc), ("k8s.pod.name", f"{svc}-{h[20:29]}-{h[27:32]}"), ("k8s.node.name", f"node-{node}"),
          ("telemetry.sdk.language", lang), ("telemetry.sdk.name", "opentelemetry"), ("telemetry.sdk.version", "1.31.0"),
          ("process.pid", 1 + pod)]
    return ld(1, b"".join(ld(1, key_value(k, v)) for k, v in kv))


class Op:
    """One span kind a service emits: pre-encoded static parts."""
    __slots__ = ("svc", "svc_ix", "name", "ix", "head", "static", "kind", "mu", "sigma", "perr", "style", "dyn", "event")


OPS, OP_IX = [], {}


def op(svc, name, kind, ms, static=(), sigma=0.55, perr=0.0, style="grpc", dyn=(), event=None):
    o = Op()
    o.svc, o.svc_ix, o.name, o.kind = svc, SVC_IX[svc], name, kind
    o.ix = len(OPS)
    o.head = ld(5, name.encode()) + b"\x30" + bytes((kind,))
    o.static = b"".join(attr(k, v) for k, v in static)
    o.mu, o.sigma, o.perr, o.style, o.dyn, o.event = math.log(ms * 1e6), sigma, perr * ERROR_SCALE, style, dyn, event or "log"
    OPS.append(o)
    OP_IX[(svc, name, kind)] = o.ix
    return o


def http_server(svc, method, route, ms, perr=0.0004):
    return op(svc, f"{method} {route}", SERVER, ms, [("http.request.method", method), ("http.route", route), ("url.scheme", "https"),
              ("server.address", "shop.example"), ("server.port", 443), ("network.protocol.version", "1.1")], 0.6, perr, "http",
              ("ua", "ip", "user", "session", "path", "http_status"))


def rpc(caller, callee, service, method, ms, perr=0.0012, dyn=(), event=None):
    base = [("rpc.system", "grpc"), ("rpc.service", f"shop.{service}"), ("rpc.method", method),
            ("server.address", f"{callee}.shop.svc.cluster.local"), ("server.port", 8080)]
    key = (callee, service, method)
    if key not in _servers:
        _servers[key] = op(callee, f"shop.{service}/{method}", SERVER, ms, base[:3] + [("network.type", "ipv4"), ("thread.name", "grpc-default-executor")],
                           0.55, perr, "grpc", ("peer", "user", "session", "grpc_status") + dyn, event)
    c = op(caller, f"shop.{service}/{method}", CLIENT, 0.6, base, 0.7, 0.0003, "grpc", ("peer", "user", "grpc_status") + dyn[:1])
    return c, _servers[key]


_servers = {}


def db(svc, system, verb, table, ms, sql, perr=0.0010):
    return op(svc, f"{verb} {table}", CLIENT, ms, [("db.system.name", system), ("db.namespace", svc), ("db.operation.name", verb),
              ("db.collection.name", table), ("db.query.text", sql), ("server.address", f"{system}-{svc}.shop.svc.cluster.local"),
              ("server.port", 6379 if system == "redis" else 5432)], 0.8, perr, "db", ("rows", "user"))


def internal(svc, name, ms, dyn=("user", "items"), event=None):
    return op(svc, name, INTERNAL, ms, [("code.function.name", name), ("code.file.path", f"src/{svc}/{name}.src"), ("feature.flag", "baseline"),
              ("app.region", "eu-1"), ("app.tier", "standard"), ("thread.id", 14)], 0.5, 0.0002, "grpc", dyn, event)


# A call tree node: (op, [children]); a child is (probability, repeat_min, repeat_max, node)
def N(o, *kids):
    return (o, kids)


def call(pair, *kids):
    c, s = pair
    return (c, ((1.0, 1, 1, (s, kids)),))


def always(n):
    return (1.0, 1, 1, n)


def build():
    cat_sql = db("catalog", "postgresql", "SELECT", "products", 1.8, "SELECT id, name, price, currency, stock FROM products WHERE id = $1")
    cat_list = db("catalog", "postgresql", "SELECT", "product_list", 4.0, "SELECT id, name, price, currency FROM products WHERE category = $1 ORDER BY rank LIMIT 24")
    cat_cache = db("catalog", "redis", "GET", "product_cache", 0.35, "GET product:?", 0.0002)
    cart_get = db("cart", "redis", "HGETALL", "cart", 0.5, "HGETALL cart:?", 0.0003)
    cart_set = db("cart", "redis", "HSET", "cart", 0.6, "HSET cart:? ? ?", 0.0003)
    inv_sel = db("inventory", "postgresql", "SELECT", "stock", 2.2, "SELECT sku, available, reserved FROM stock WHERE sku = ANY($1) FOR UPDATE")
    inv_upd = db("inventory", "postgresql", "UPDATE", "stock", 3.1, "UPDATE stock SET reserved = reserved + $2 WHERE sku = $1", 0.003)
    ord_ins = db("checkout", "postgresql", "INSERT", "orders", 3.6, "INSERT INTO orders (id, user_id, total, currency, status) VALUES ($1, $2, $3, $4, 'new')", 0.002)
    usr_sel = db("auth", "postgresql", "SELECT", "users", 1.4, "SELECT id, email, password_hash, mfa FROM users WHERE email = $1")
    ses_get = db("auth", "redis", "GET", "session", 0.3, "GET session:?", 0.0002)

    authz = call(rpc("frontend", "auth", "AuthService", "ValidateSession", 0.9), always(N(ses_get)), (0.08, 1, 1, N(usr_sel)))
    product = call(rpc("frontend", "catalog", "CatalogService", "GetProduct", 1.0, dyn=("product",)), always(N(cat_cache)), (0.25, 1, 1, N(cat_sql)))
    products = call(rpc("frontend", "catalog", "CatalogService", "ListProducts", 2.0), (0.6, 1, 1, N(cat_cache)), (0.5, 1, 1, N(cat_list)))
    search = call(rpc("frontend", "catalog", "CatalogService", "SearchProducts", 9.0, dyn=("query",)), always(N(cat_list)),
                  (0.4, 1, 4, N(cat_cache)), always(N(internal("catalog", "rankResults", 6.0))))
    cart = call(rpc("frontend", "cart", "CartService", "GetCart", 0.8, dyn=("items",)), always(N(cart_get)))
    add = call(rpc("frontend", "cart", "CartService", "AddItem", 1.1, dyn=("product",), event="cart.updated"), always(N(cart_get)), always(N(cart_set)))
    conv = call(rpc("frontend", "currency", "CurrencyService", "Convert", 0.25, 0.0002))
    ads = call(rpc("frontend", "ad", "AdService", "GetAds", 4.0), (0.3, 1, 1, N(internal("ad", "selectCampaign", 1.5))))
    rec_cat = call(rpc("recommendation", "catalog", "CatalogService", "ListProducts", 2.0), (0.6, 1, 1, N(cat_cache)), (0.3, 1, 1, N(cat_list)))
    rec = call(rpc("frontend", "recommendation", "RecommendationService", "List", 5.0), always(rec_cat), always(N(internal("recommendation", "scoreCandidates", 7.0, event="cache.miss"))))
    # checkout
    co_prod = call(rpc("checkout", "catalog", "CatalogService", "GetProduct", 1.0, dyn=("product",)), always(N(cat_cache)), (0.25, 1, 1, N(cat_sql)))
    co_conv = call(rpc("checkout", "currency", "CurrencyService", "Convert", 0.25, 0.0002))
    co_cart = call(rpc("checkout", "cart", "CartService", "GetCart", 0.8, dyn=("items",)), always(N(cart_get)))
    co_empty = call(rpc("checkout", "cart", "CartService", "EmptyCart", 0.8), always(N(cart_set)))
    co_quote = call(rpc("checkout", "shipping", "ShippingService", "GetQuote", 14.0, dyn=("items",)), always(N(internal("shipping", "calculateQuote", 3.0))))
    co_ship = call(rpc("checkout", "shipping", "ShippingService", "ShipOrder", 22.0, dyn=("order", "tracking")))
    co_res = call(rpc("checkout", "inventory", "InventoryService", "Reserve", 3.0, 0.003, dyn=("order",)), always(N(inv_sel)), (1.0, 1, 3, N(inv_upd)))
    co_pay = call(rpc("checkout", "payment", "PaymentService", "Charge", 90.0, 0.02, dyn=("order", "amount")), always(N(internal("payment", "fraudCheck", 25.0, ("user", "order", "risk")))),
                  always(N(op("payment", "POST /v1/charges", CLIENT, 160.0, [("http.request.method", "POST"), ("url.full", "https://psp.example/v1/charges"),
                         ("server.address", "psp.example"), ("server.port", 443), ("network.protocol.version", "2"), ("peer.service", "psp")], 0.7, 0.012, "http",
                         ("http_status", "order", "user", "amount")))))
    publish = N(op("checkout", "orders publish", PRODUCER, 2.2, [("messaging.system", "kafka"), ("messaging.destination.name", "orders"), ("messaging.operation.type", "publish"),
                   ("messaging.client.id", "checkout-producer"), ("server.address", "kafka.shop.svc.cluster.local"), ("server.port", 9092)], 0.6, 0.001, "grpc",
                   ("order", "user", "partition", "offset"), "message.sent"))
    place = call(rpc("frontend", "checkout", "CheckoutService", "PlaceOrder", 4.0, 0.002, dyn=("order", "amount", "items")),
                 always(co_cart), (1.0, 1, 5, N(internal("checkout", "prepareItem", 0.4), always(co_prod), always(co_conv))), always(co_quote), always(co_res),
                 always(co_pay), always(N(ord_ins)), always(co_ship), always(co_empty), always(publish))
    consume = N(op("notification", "orders process", CONSUMER, 6.0, [("messaging.system", "kafka"), ("messaging.destination.name", "orders"), ("messaging.operation.type", "process"),
                   ("messaging.consumer.group.name", "notification"), ("messaging.client.id", "notification-1"), ("server.port", 9092)], 0.6, 0.004, "grpc",
                   ("order", "user", "partition", "offset")),
                always(N(internal("notification", "renderTemplate", 8.0, ("user", "order")))),
                always(N(op("notification", "POST /send", CLIENT, 60.0, [("http.request.method", "POST"), ("url.full", "https://mail.example/send"), ("server.address", "mail.example"),
                       ("server.port", 443), ("network.protocol.version", "1.1"), ("peer.service", "mail")], 0.8, 0.01, "http", ("http_status", "order", "user")))),
                (0.5, 1, 1, call(rpc("notification", "auth", "AuthService", "GetProfile", 1.0), always(N(usr_sel)))))
    invjob = N(op("inventory", "reconcile-stock", INTERNAL, 20.0, [("job.name", "reconcile-stock"), ("job.trigger", "cron"), ("app.region", "eu-1"), ("thread.name", "scheduler-1"),
                  ("code.function.name", "reconcile"), ("code.namespace", "shop.inventory.jobs")], 0.5, 0.003, "db", ("items", "batch", "rows")),
               (1.0, 2, 8, N(internal("inventory", "reconcileBatch", 2.0, ("items", "batch")), always(N(inv_sel)), (0.7, 1, 3, N(inv_upd)))))
    flows = [
        (22, N(http_server("frontend", "GET", "/", 4.0), always(authz), always(products), always(conv), always(cart), (0.8, 1, 1, rec), (0.7, 1, 1, ads))),
        (34, N(http_server("frontend", "GET", "/product/{id}", 3.0), (0.5, 1, 1, authz), always(product), always(conv), (0.9, 1, 1, rec), (0.6, 1, 1, ads), (0.7, 1, 1, cart))),
        (12, N(http_server("frontend", "GET", "/search", 4.0), always(search), (0.4, 1, 12, conv))),
        (10, N(http_server("frontend", "POST", "/cart", 3.0), always(authz), always(product), always(add), always(cart), (0.6, 1, 1, rec))),
        (8, N(http_server("frontend", "GET", "/cart", 3.0), always(authz), always(cart), (1.0, 1, 6, product), (1.0, 1, 3, conv), (0.7, 1, 1, rec))),
        (7, N(http_server("frontend", "POST", "/checkout", 6.0, 0.001), always(authz), always(place), (0.9, 1, 1, rec))),
        (3, N(http_server("frontend", "POST", "/login", 3.0), always(call(rpc("frontend", "auth", "AuthService", "Login", 45.0, 0.01), always(N(usr_sel)), always(N(internal("auth", "verifyPassword", 55.0))), always(N(ses_get)))))),
        (4, invjob),
    ]
    return flows, consume


FLOWS, CONSUME = build()
RES = {(s, p): resource(s, p) for s in SVC for p in range(SERVICES[s][0])}
SCOPE = {s: ld(1, ld(1, SERVICES[s][3].encode()) + ld(2, b"0.57.0")) for s in SVC}
HTTP_OK = [attr("http.response.status_code", c) for c in (200, 200, 200, 200, 200, 200, 304, 204, 404, 201)]
HTTP_ERR = [attr("http.response.status_code", c) for c in (500, 502, 503)]
GRPC_OK, GRPC_ERR = attr("rpc.grpc.status_code", 0), [attr("rpc.grpc.status_code", c) for c in (4, 13, 14)]
UA_A = [attr("user_agent.original", u) for u in UA]
INTS = {k: [attr(n, i) for i in range(m)] for k, n, m in (("rows", "db.response.returned_rows", 40), ("items", "app.items.count", 12), ("partition", "messaging.destination.partition.id", 12))}
SAMPLED = b"\x85\x01" + struct.pack("<I", 0x101)
ERR_STATUS = [ld(15, ld(2, m.encode()) + b"\x18\x02") for m in ("deadline exceeded", "internal error", "upstream unavailable", "card declined")]
EVENT_NAMES = {n: ld(2, n.encode()) for n in ("cart.updated", "cache.miss", "message.sent", "log", "exception")}
EV_ATTR = {"cart.updated": ("cart.items", 12), "cache.miss": ("cache.size", 900), "message.sent": ("message.bytes", 2000), "log": ("log.seq", 5000)}


def exception_event(rng, o):
    typ, msg = ERRORS["db" if o.style == "db" else "http" if o.style == "http" else "payment" if o.svc == "payment" else "grpc"]
    msg = msg.format(s=SVC[rng.randrange(12)], n=rng.randrange(100000))
    frames = "\n\tat ".join(f.format(s=o.svc, a=rng.randrange(30, 60), b=rng.randrange(100, 120), c=rng.randrange(200, 230)) for f in FRAMES)
    stack = f"{typ}: {msg}\n\tat {frames}"
    return EVENT_NAMES["exception"] + b"".join(ld(3, key_value(k, v)) for k, v in
        (("exception.type", typ), ("exception.message", msg), ("exception.stacktrace", stack), ("exception.escaped", "false")))


class TraceGen:
    def __init__(self, rng):
        self.rng = rng

    def start(self, root, t, links=None):
        r = self.rng
        self.tid = r.randbytes(16)
        u = int(USERS * r.random() ** 1.6)
        self.user = f"u-{u * 7919 % 1000003:07d}"
        self.order = f"ord-{r.getrandbits(48):012x}"
        self.b_user = attr1("user.id", self.user)
        self.b_session = attr1("session.id", f"{r.getrandbits(96):024x}")
        self.b_order = attr1("order.id", self.order)
        self.b_ip = attr1("client.address", f"10.{u % 200}.{u // 200 % 250}.{u % 251}")
        self.b_ua = UA_A[u % 5]
        self.product = f"sku-{int(PRODUCTS * r.random() ** 2):05d}"
        self.pods = {}
        self.links = links
        self.spans, self.sum, self.publish_sid, self.uses_order, self.uses_user = [], {}, None, False, False
        self.edges = []
        # one trace in 60 is slow across the board
        self.slow = 12.0 if r.random() < 0.016 else 1.0
        end, err = self.node(root, t, None, None)
        return end

    def node(self, node, t, psid, psvc):
        """Emits node's span (start t), returns (end, failed)."""
        o, kids = node
        r = self.rng
        sid = r.randbytes(8)
        self_ns = math.exp(r.gauss(o.mu, o.sigma)) * self.slow
        if psvc is not None and psvc != o.svc_ix:
            self.edges.append((psvc, o.svc_ix))
        cur = t + int(self_ns * 0.3)
        err = False
        if kids:
            parallel = o.svc_ix == 0 and o.kind == SERVER
            latest = cur
            for p, lo, hi, child in kids:
                if p < 1.0 and r.random() > p:
                    continue
                for _ in range(lo if lo == hi else r.randint(lo, hi)):
                    e, bad = self.node(child, cur + (r.randrange(20000, 90000)), sid, o.svc_ix)
                    if e > latest:
                        latest = e
                    if not parallel:
                        cur = e
                    if bad and r.random() < 0.55:
                        err = True
                if err and r.random() < 0.5:
                    break
            cur = latest
        end = cur + int(self_ns * 0.7)
        own = r.random() < o.perr
        err = err or own
        self.emit(o, sid, psid, t, end, err, own, r)
        return end, err

    def emit(self, o, sid, psid, t, end, err, own, r):
        parts = [b"\x0a\x10", self.tid, b"\x12\x08", sid]
        off = 28
        if psid is not None:
            parts += (b"\x22\x08", psid)
            off += 10
        parts += (o.head, b"\x39", struct.pack("<Q", t), b"\x41", struct.pack("<Q", end), o.static)
        off += len(o.head) + 1
        ts = [off, off + 9]
        tids = [2]
        off += 17 + len(o.static)
        for d in o.dyn:
            if d == "user":
                b = self.b_user
                self.uses_user = True
            elif d == "order":
                b = self.b_order
                self.uses_order = True
            elif d == "session":
                b = self.b_session
            elif d == "grpc_status":
                b = r.choice(GRPC_ERR) if err else GRPC_OK
            elif d == "http_status":
                b = r.choice(HTTP_ERR) if err else r.choice(HTTP_OK)
            elif d == "peer":
                b = attr1("network.peer.address", f"10.42.{r.randrange(6)}.{r.randrange(2, 80)}") + attr("network.peer.port", r.randrange(40000, 40200))
            elif d == "ua":
                b = self.b_ua
            elif d == "ip":
                b = self.b_ip
            elif d == "path":
                b = attr1("url.path", o.name.split(" ", 1)[1].replace("{id}", self.product))
            elif d == "product":
                b = attr1("product.id", self.product)
            elif d == "query":
                b = attr1("search.query", f"shoes size {r.randrange(30, 48)} color {r.randrange(200)}")
            elif d == "amount":
                b = ld(9, key_value("order.amount", round(r.lognormvariate(4, 0.8), 2)))
            elif d == "risk":
                b = ld(9, key_value("fraud.score", round(r.random(), 4)))
            elif d == "tracking":
                b = attr1("shipping.tracking.id", f"trk-{r.getrandbits(64):016x}")
            elif d == "offset":
                b = ld(9, key_value("messaging.kafka.offset", r.randrange(10_000_000)))
            elif d == "batch":
                b = attr1("job.batch.id", f"b-{r.getrandbits(40):010x}")
            else:
                b = r.choice(INTS[d])
            parts.append(b)
            off += len(b)
        if r.random() < (0.06 if o.event == "log" else 0.5):
            k, m = EV_ATTR[o.event]
            body = b"\x09" + struct.pack("<Q", (t + end) >> 1) + EVENT_NAMES[o.event] + ld(3, key_value(k, r.randrange(m)))
            b = ld(11, body)
            ts.append(off + len(b) - len(body) + 1)
            parts.append(b)
            off += len(b)
        if own:
            body = b"\x09" + struct.pack("<Q", end - 1000) + exception_event(r, o)
            b = ld(11, body)
            ts.append(off + len(b) - len(body) + 1)
            parts.append(b)
            off += len(b)
        if psid is None and self.links:
            for ltid, lsid in self.links:
                body = b"\x0a\x10" + ltid + b"\x12\x08" + lsid + ld(4, key_value("link.kind", "producer"))
                b = ld(13, body)
                tids.append(off + len(b) - len(body) + 2)
                parts.append(b)
                off += len(b)
        if err:
            parts.append(ERR_STATUS[3 if o.svc == "payment" else o.ix % 3])
        parts.append(SAMPLED)
        if o.kind == PRODUCER:
            self.publish_sid = sid
        pod = self.pods.get(o.svc_ix)
        if pod is None:
            n = SERVICES[o.svc][0]
            pod = self.pods[o.svc_ix] = r.randrange(n) if n > 1 else 0
        self.spans.append((end, o.svc_ix, pod, b"".join(parts), tids, ts))
        s = self.sum.get(o.ix)
        if s is None:
            self.sum[o.ix] = [1, end - t, 1 if err else 0]
        else:
            s[0] += 1
            s[1] = max(s[1], end - t)
            s[2] += err


def put_body(out, svc_ix, pod, items, flush_ns):
    """items: [(span bytes, tid offsets, ts offsets)] -> one corpus record."""
    svc = SVC[svc_ix]
    head = SCOPE[svc]
    pieces, tids, tss = [], [], []
    pos = 0
    for sp, ti, tt in items:
        h = b"\x12" + varint(len(sp))
        pos += len(h)
        tids += [pos + x for x in ti]
        tss += [pos + x for x in tt]
        pieces += (h, sp)
        pos += len(sp)
    scope_spans = len(head) + pos
    res = RES[(svc, pod)]
    sh = b"\x12" + varint(scope_spans)
    rs_len = len(res) + len(sh) + scope_spans
    rh = b"\x0a" + varint(rs_len)
    base = len(rh) + len(res) + len(sh) + len(head)
    body_len = base + pos
    out.write(struct.pack("<IIIIQ", body_len, len(items), len(tids), len(tss), flush_ns))
    out.write(struct.pack(f"<{len(tids)}I", *[base + x for x in tids]))
    out.write(struct.pack(f"<{len(tss)}I", *[base + x for x in tss]))
    out.write(b"".join((rh, res, sh, head, *pieces)))
    return 24 + 4 * (len(tids) + len(tss)) + body_len


def gen_chunk(job):
    """One slice of simulated time; independent of all other slices."""
    seed, ix, target, rate, batch, t0, prefix = job
    rng = random.Random(f"{seed}/{ix}")
    tg = TraceGen(rng)
    weights = [w for w, _ in FLOWS]
    roots = [n for _, n in FLOWS]
    out = open(f"{prefix}.{ix}.corpus", "wb")
    truth = open(f"{prefix}.{ix}.truth", "w")
    n_spans = n_traces = nbytes = nreq = 0
    t = t0
    step = 19.0 / rate  # mean seconds between traces; ~19 spans per trace
    pend = []          # heap of finished spans, ordered by end time
    late = []          # consumer traces started by a publish
    buf = {}           # (svc, pod) -> [items, deadline]
    seq = 0
    edges = {}
    t_end = t0

    def drain(until):
        nonlocal nbytes, nreq
        while pend and pend[0][0] <= until:
            end, _, s, p, sp, ti, tt = heapq.heappop(pend)
            q = buf.get((s, p))
            if q is None:
                q = buf[(s, p)] = [[], 0]
            if not q[0]:
                q[1] = end + 5 * NS
            elif end > q[1]:  # BatchSpanProcessor's 5 s timer
                nbytes += put_body(out, s, p, q[0], q[1])
                nreq += 1
                q[0], q[1] = [], end + 5 * NS
            q[0].append((sp, ti, tt))
            if len(q[0]) >= batch:
                nbytes += put_body(out, s, p, q[0], end)
                nreq += 1
                q[0] = []

    while n_spans < target:
        if late and late[0][0] <= t:
            lt, _, link, user, order = heapq.heappop(late)
            start, root, links = lt, CONSUME, [link]
        else:
            t += int(rng.expovariate(1.0) * step * NS) + 1
            start, root, links = t, rng.choices(roots, weights)[0], None
            order = None
        end = tg.start(root, start, links)
        if tg.publish_sid:
            heapq.heappush(late, (end + int(rng.uniform(0.05, 1.5) * NS), n_traces, (tg.tid, tg.publish_sid), tg.user, tg.order))
        for e, s, p, sp, ti, tt in tg.spans:
            seq += 1
            heapq.heappush(pend, (e, seq, s, p, sp, ti, tt))
        for e in tg.edges:
            edges[e] = edges.get(e, 0) + 1
        truth.write(json.dumps({"id": tg.tid.hex(), "t": start, "d": end - start, "n": len(tg.spans), "user": tg.user if tg.uses_user else None,
                                "order": tg.order if tg.uses_order else None,
                                "ops": [[k, *v] for k, v in tg.sum.items()]}, separators=(",", ":")) + "\n")
        n_spans += len(tg.spans)
        n_traces += 1
        t_end = max(t_end, end)
        drain(t - NS)
    drain(1 << 62)
    for (s, p), q in buf.items():
        if q[0]:
            nbytes += put_body(out, s, p, q[0], t_end)
            nreq += 1
    out.close()
    truth.close()
    return ix, n_spans, n_traces, nreq, nbytes, t_end, {f"{SVC[a]}>{SVC[b]}": c for (a, b), c in edges.items()}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--spans", type=int, default=1_000_000)
    ap.add_argument("--seed", type=int, default=7)
    ap.add_argument("--rate", type=float, default=16_000, help="simulated spans per second (sets how much time the corpus covers)")
    ap.add_argument("--batch", type=int, default=512, help="most spans in one request (BatchSpanProcessor's default)")
    ap.add_argument("--chunk", type=int, default=100_000, help="spans per independent slice")
    ap.add_argument("--procs", type=int, default=os.cpu_count())
    ap.add_argument("--out", required=True, metavar="PREFIX")
    a = ap.parse_args()
    os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
    t0 = time.time()
    nchunk = max(1, round(a.spans / a.chunk))
    per = a.spans / nchunk
    dt = int(per / a.rate * NS)
    jobs = [(a.seed, i, per, a.rate, a.batch, i * dt, a.out) for i in range(nchunk)]
    with mp.Pool(a.procs) as pool:
        done = pool.map(gen_chunk, jobs, 1)
    spans, traces, reqs = (sum(d[k] for d in done) for k in (1, 2, 3))
    t_end = max(d[5] for d in done)
    edges = {}
    for d in done:
        for k, v in d[6].items():
            edges[k] = edges.get(k, 0) + v
    meta = {"spans": spans, "traces": traces, "requests": reqs, "body_bytes": 0, "duration_ns": t_end, "seed": a.seed, "batch": a.batch,
            "services": SVC, "ops": [[o.svc, o.name, o.kind] for o in OPS], "edges": edges}
    with open(a.out + ".corpus", "wb") as f:
        f.write(MAGIC + struct.pack("<QQQQ", spans, traces, reqs, t_end))
        for i in range(nchunk):
            p = f"{a.out}.{i}.corpus"
            with open(p, "rb") as g:
                while b := g.read(1 << 22):
                    f.write(b)
            os.unlink(p)
    meta["file_bytes"] = os.path.getsize(a.out + ".corpus")
    meta["body_bytes"] = sum(d[4] for d in done) - 24 * reqs
    with open(a.out + ".truth.jsonl", "w") as f:
        f.write(json.dumps(meta) + "\n")
        for i in range(nchunk):
            p = f"{a.out}.{i}.truth"
            with open(p) as g:
                f.write(g.read())
            os.unlink(p)
    print(json.dumps({k: meta[k] for k in ("spans", "traces", "requests", "body_bytes", "file_bytes", "duration_ns")} | {"gen_s": round(time.time() - t0, 1)}))


if __name__ == "__main__":
    main()
