// SPDX-License-Identifier: Apache-2.0
/* Replays a corpus made by gen_corpus.py to an OTLP endpoint over N keep-alive
 * connections, as fast as the server accepts it.
 *
 *   cc -O2 -pthread -o replay replay.c -lz          (or -DNO_ZLIB, without -lz)
 *   ./replay --corpus data/shop.corpus --url http://127.0.0.1:4318/v1/traces
 *   ./replay --corpus data/shop.corpus --url grpc://127.0.0.1:4317
 *
 *   --conns N     connections, one request in flight on each        (4)
 *   --passes N    times the corpus is sent, with fresh trace ids    (1)
 *   --limit N     stop a pass after about N spans                   (all)
 *   --rate N      at most N spans per second                        (no limit)
 *   --gzip        compress the bodies (before the clock starts)
 *   --key HEX     pass key of the first pass, 16 hex digits         (random)
 *   --end-ago S   the corpus ends S seconds before the start        (0)
 *   --header H    extra HTTP header, "Name: value"
 *   --out FILE    write the run as JSON (the query bench reads it)
 *
 * Each pass adds one base time to every timestamp (so that the corpus ends
 * now) and XORs one key into bytes 0..7 of every trace id.  429, 503 and the
 * gRPC statuses 8 and 14 are retried with a growing pause; other failures are
 * counted as rejected. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#ifndef NO_ZLIB
#include <zlib.h>
#endif

typedef struct {
  uint32_t len, spans, ntid, nts;
  const uint32_t *tid, *ts;
  const uint8_t *body;
  uint8_t *gz;
  uint32_t gzlen;
} rec;

static rec *recs;
static size_t nrecs;
static int grpc, use_gzip, conns = 4, passes = 1;
static double rate, end_ago;
static char host[256], port[16], path[1024], extra[1024];
static uint64_t duration_ns, key0;
static atomic_size_t next_ix;
static atomic_ullong ok_spans, ok_reqs, ok_bytes, retries, bad_reqs, bad_spans, reconnects;
static uint64_t base_ns, key;
static double t_begin;
static atomic_ullong rate_sent;
static char first_error[512];
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static float *lat;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static uint64_t wall_ns(void) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static void die(const char *m) { fprintf(stderr, "replay: %s\n", m); exit(2); }

static void patch(const rec *r, uint8_t *d) {
  memcpy(d, r->body, r->len);
  for (uint32_t i = 0; i < r->ntid; i++) { uint64_t v; memcpy(&v, d + r->tid[i], 8); v ^= key; memcpy(d + r->tid[i], &v, 8); }
  for (uint32_t i = 0; i < r->nts; i++) { uint64_t v; memcpy(&v, d + r->ts[i], 8); v += base_ns; memcpy(d + r->ts[i], &v, 8); }
}

static int dial(void) {
  struct addrinfo h = {.ai_socktype = SOCK_STREAM}, *a;
  for (int tries = 0; tries < 50; tries++) {
    if (getaddrinfo(host, port, &h, &a)) die("cannot resolve host");
    int s = socket(a->ai_family, SOCK_STREAM, 0), one = 1;
    int e = connect(s, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(a);
    if (!e) { setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); return s; }
    close(s);
    usleep(100000);
  }
  die("cannot connect");
  return -1;
}

static int writev_all(int s, struct iovec *v, int n) {
  while (n) {
    struct msghdr m = {.msg_iov = v, .msg_iovlen = n};
    ssize_t w = sendmsg(s, &m, MSG_NOSIGNAL);
    if (w < 0) { if (errno == EINTR) continue; return -1; }
    while (n && (size_t)w >= v->iov_len) { w -= v->iov_len; v++; n--; }
    if (n) { v->iov_base = (char *)v->iov_base + w; v->iov_len -= w; }
  }
  return 0;
}

static void note_error(const char *what, int code, const char *detail) {
  pthread_mutex_lock(&mu);
  if (!first_error[0]) snprintf(first_error, sizeof first_error, "%s %d %.300s", what, code, detail);
  pthread_mutex_unlock(&mu);
}

/* ------------------------------------------------------------- HTTP/1.1 */
static int http_post(int s, const uint8_t *b, size_t n, int *keep) {
  char h[3072], buf[16384];
  int hl = snprintf(h, sizeof h, "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/x-protobuf\r\nContent-Length: %zu\r\n%s%s\r\n",
                    path, host, port, n, use_gzip ? "Content-Encoding: gzip\r\n" : "", extra);
  struct iovec v[2] = {{h, hl}, {(void *)b, n}};
  if (writev_all(s, v, 2)) return -1;
  size_t got = 0;
  char *end = 0;
  while (!end) {
    if (got + 1 >= sizeof buf) return -1;
    ssize_t r = recv(s, buf + got, sizeof buf - 1 - got, 0);
    if (r <= 0) return -1;
    got += r;
    buf[got] = 0;
    end = strstr(buf, "\r\n\r\n");
  }
  int code = atoi(buf + 9);
  *keep = !strcasestr(buf, "connection: close");
  size_t head = end + 4 - buf, have = got - head;
  char *cl = strcasestr(buf, "\r\ncontent-length:");
  if (cl && cl < end) {
    size_t want = strtoul(cl + 17, 0, 10);
    if (code >= 300) note_error("HTTP", code, end + 4);
    while (have < want) {
      ssize_t r = recv(s, buf, sizeof buf < want - have ? sizeof buf : want - have, 0);
      if (r <= 0) return -1;
      have += r;
    }
  } else if (strcasestr(buf, "transfer-encoding: chunked")) { /* short answers only */
    while (!strstr(end, "\r\n0\r\n\r\n") && !strstr(end + 4, "0\r\n\r\n")) {
      ssize_t r = recv(s, buf + got, sizeof buf - 1 - got, 0);
      if (r <= 0) return -1;
      got += r;
      buf[got] = 0;
    }
    if (code >= 300) note_error("HTTP", code, end + 4);
  } else if (code != 204 && code != 304) *keep = 0;
  return code;
}

/* ------------------------------------- gRPC: one unary stream at a time on HTTP/2 */
typedef struct { int s; uint32_t sid; int64_t cwin, swin, iwin; uint32_t maxframe; uint8_t in[1 << 16]; } h2;

static int readn(int s, void *p, size_t n) {
  while (n) { ssize_t r = recv(s, p, n, 0); if (r <= 0) return -1; p = (char *)p + r; n -= r; }
  return 0;
}
static void fh(uint8_t *f, uint32_t len, uint8_t type, uint8_t flags, uint32_t sid) {
  f[0] = len >> 16; f[1] = len >> 8; f[2] = len; f[3] = type; f[4] = flags;
  f[5] = sid >> 24; f[6] = sid >> 16; f[7] = sid >> 8; f[8] = sid;
}
static uint8_t *lit(uint8_t *p, const char *n, const char *v) { /* literal, not indexed, no Huffman; lengths < 127 */
  *p++ = 0; *p++ = strlen(n); memcpy(p, n, strlen(n)); p += strlen(n);
  *p++ = strlen(v); memcpy(p, v, strlen(v)); return p + strlen(v);
}
static int h2_open(h2 *c) {
  c->s = dial(); c->sid = 1; c->cwin = 65535; c->iwin = 65535; c->maxframe = 16384;
  uint8_t b[64]; memcpy(b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  fh(b + 24, 6, 4, 0, 0);
  memcpy(b + 33, "\0\1\0\0\0\0", 6); /* SETTINGS_HEADER_TABLE_SIZE = 0 */
  struct iovec v = {b, 39};
  return writev_all(c->s, &v, 1);
}
/* We announce a header table of size 0, so grpc-status always comes as a literal:
 * its name plain or Huffman-coded, its value one or two digits, plain or coded. */
static int grpc_status(const uint8_t *p, size_t len) {
  static const uint8_t huff[8] = {0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f};
  const uint8_t *q = memmem(p, len, "grpc-status", 11), *end = p + len;
  if (q) q += 11; else if ((q = memmem(p, len, huff, 8))) q += 8; else return -1;
  if (q + 1 >= end) return -1;
  if (!(*q & 0x80)) return *q == 2 && q + 2 < end ? (q[1] - '0') * 10 + q[2] - '0' : q[1] - '0';
  uint32_t bits = q[1] << 8 | (q + 2 < end ? q[2] : 0xff), v = 0, n = *q & 0x7f; /* up to two digits in the first 16 bits */
  int left = n >= 2 ? 16 : 8;
  if (left == 8) bits = (bits & 0xff00) | 0xff;
  for (int got = 0; got < 2 && left >= 5; got++) { /* 0..2 are 5 bits 00000..00010, 3..9 are 6 bits 011001..011111 */
    uint32_t five = bits >> 11 & 31;
    if (five <= 2) { v = v * 10 + five; bits <<= 5; left -= 5; }
    else if (five >= 12 && five <= 15) { v = v * 10 + (bits >> 10 & 63) - 0x19 + 3; bits <<= 6; left -= 6; }
    else break;
    bits &= 0xffff;
  }
  return (int)v;
}
/* Handles one frame. Returns 1 when our stream ended, 0 otherwise, -1 on failure. *st gets a status seen in trailers. */
static int h2_frame(h2 *c, int *st) {
  uint8_t f[9];
  if (readn(c->s, f, 9)) return -1;
  uint32_t len = f[0] << 16 | f[1] << 8 | f[2], sid = (f[5] & 0x7f) << 24 | f[6] << 16 | f[7] << 8 | f[8];
  if (len > sizeof c->in || readn(c->s, c->in, len)) return -1;
  uint8_t *p = c->in, out[32];
  struct iovec v = {out, 0};
  switch (f[3]) {
  case 4:
    if (f[4] & 1) return 0;
    for (uint32_t i = 0; i + 6 <= len; i += 6) {
      uint32_t id = p[i] << 8 | p[i + 1], val = (uint32_t)p[i + 2] << 24 | p[i + 3] << 16 | p[i + 4] << 8 | p[i + 5];
      if (id == 4) { c->swin += (int64_t)val - c->iwin; c->iwin = val; }
      if (id == 5) c->maxframe = val;
    }
    fh(out, 0, 4, 1, 0); v.iov_len = 9;
    return writev_all(c->s, &v, 1) ? -1 : 0;
  case 6:
    if (f[4] & 1) return 0;
    fh(out, 8, 6, 1, 0); memcpy(out + 9, p, 8); v.iov_len = 17;
    return writev_all(c->s, &v, 1) ? -1 : 0;
  case 8: {
    uint32_t inc = (p[0] & 0x7f) << 24 | p[1] << 16 | p[2] << 8 | p[3];
    if (!sid) c->cwin += inc; else if (sid == c->sid) c->swin += inc;
    return 0; }
  case 7: return -1;
  case 3: return sid == c->sid ? -1 : 0;
  case 0:
    if (len) { fh(out, 4, 8, 0, 0); out[9] = 0; out[10] = len >> 16; out[11] = len >> 8; out[12] = len; v.iov_len = 13; if (writev_all(c->s, &v, 1)) return -1; }
    return sid == c->sid && (f[4] & 1);
  case 1: {
    int v2 = grpc_status(p, len);
    if (v2 >= 0) *st = v2;
    return sid == c->sid && (f[4] & 1); }
  default: return 0;
  }
}
static int h2_post(h2 *c, const uint8_t *b, size_t n) { /* b: 5-byte gRPC prefix + message */
  uint8_t hb[1024], *p = hb + 9;
  char auth[300];
  snprintf(auth, sizeof auth, "%s:%s", host, port);
  *p++ = 0x83; *p++ = 0x86; /* :method POST, :scheme http */
  p = lit(p, ":path", path); p = lit(p, ":authority", auth);
  p = lit(p, "content-type", "application/grpc"); p = lit(p, "te", "trailers");
  if (use_gzip) p = lit(p, "grpc-encoding", "gzip");
  fh(hb, p - hb - 9, 1, 4, c->sid);
  struct iovec v[2] = {{hb, p - hb}};
  if (writev_all(c->s, v, 1)) return -1;
  c->swin = c->iwin;
  int st = -2, r;
  while (n) {
    int64_t w = c->cwin < c->swin ? c->cwin : c->swin;
    if (w <= 0) { if ((r = h2_frame(c, &st))) { if (r < 0) return -1; goto ended; } continue; }
    size_t k = n < c->maxframe ? n : c->maxframe;
    if ((int64_t)k > w) k = w;
    uint8_t f[9];
    fh(f, k, 0, k == n, c->sid);
    struct iovec d[2] = {{f, 9}, {(void *)b, k}};
    if (writev_all(c->s, d, 2)) return -1;
    b += k; n -= k; c->cwin -= k; c->swin -= k;
  }
  while (!(r = h2_frame(c, &st))) {}
  if (r < 0) return -1;
ended:
  c->sid += 2;
  return st == -2 ? -3 : st;
}

/* ------------------------------------------------------------- workers */
static void *worker(void *arg) {
  (void)arg;
  size_t cap = 0;
  uint8_t *buf = 0;
  int s = -1;
  h2 *c = 0;
  if (grpc) { c = calloc(1, sizeof *c); if (h2_open(c)) die("h2 open"); } else s = dial();
  for (;;) {
    size_t i = atomic_fetch_add(&next_ix, 1);
    if (i >= nrecs) break;
    rec *r = &recs[i];
    if (rate > 0) {
      double due = t_begin + atomic_fetch_add(&rate_sent, r->spans) / rate, w = due - now();
      if (w > 0) usleep((useconds_t)(w * 1e6));
    }
    const uint8_t *b;
    size_t n;
    if (use_gzip) { b = r->gz + (grpc ? 0 : 5); n = r->gzlen + (grpc ? 5 : 0); }
    else {
      if (cap < r->len + 5u) { cap = r->len * 2 + 5; buf = realloc(buf, cap); }
      patch(r, buf + 5);
      buf[0] = 0; buf[1] = r->len >> 24; buf[2] = r->len >> 16; buf[3] = r->len >> 8; buf[4] = r->len;
      b = buf + (grpc ? 0 : 5); n = r->len + (grpc ? 5 : 0);
    }
    double pause = 0.02;
    for (int tries = 0;; tries++) {
      int keep = 1;
      double t = now();
      int code = grpc ? h2_post(c, b, n) : http_post(s, b, n, &keep);
      if (code == -1 || !keep) {
        atomic_fetch_add(&reconnects, 1);
        if (grpc) { close(c->s); if (h2_open(c)) die("h2 open"); } else { close(s); s = dial(); }
      }
      if (grpc ? code == 0 : code >= 200 && code < 300) {
        lat[i] = (float)(now() - t);
        atomic_fetch_add(&ok_spans, r->spans); atomic_fetch_add(&ok_reqs, 1); atomic_fetch_add(&ok_bytes, n);
        break;
      }
      int again = code == -1 || (grpc ? code == 8 || code == 14 : code == 429 || code == 503 || code == 502 || code == 504);
      if (!again || tries > 200) {
        if (grpc) note_error("gRPC status", code, "");
        atomic_fetch_add(&bad_reqs, 1); atomic_fetch_add(&bad_spans, r->spans);
        break;
      }
      atomic_fetch_add(&retries, 1);
      usleep((useconds_t)(pause * 1e6));
      if (pause < 1) pause *= 1.6;
    }
  }
  close(grpc ? c->s : s);
  return 0;
}

#ifndef NO_ZLIB
static atomic_size_t gz_ix;
static void *gz_worker(void *arg) {
  (void)arg;
  uint8_t *tmp = 0, *out = 0;
  size_t cap = 0;
  for (size_t i; (i = atomic_fetch_add(&gz_ix, 1)) < nrecs;) {
    rec *r = &recs[i];
    if (cap < r->len) { cap = r->len * 2; tmp = realloc(tmp, cap); out = realloc(out, compressBound(cap) + 64); }
    patch(r, tmp);
    z_stream z = {0};
    deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    z.next_in = tmp; z.avail_in = r->len; z.next_out = out; z.avail_out = compressBound(cap) + 64;
    deflate(&z, Z_FINISH);
    r->gzlen = z.total_out;
    deflateEnd(&z);
    free(r->gz);
    r->gz = malloc(r->gzlen + 5);
    r->gz[0] = 1; r->gz[1] = r->gzlen >> 24; r->gz[2] = r->gzlen >> 16; r->gz[3] = r->gzlen >> 8; r->gz[4] = r->gzlen;
    memcpy(r->gz + 5, out, r->gzlen);
  }
  free(tmp); free(out);
  return 0;
}
#endif

static int cmpf(const void *a, const void *b) { float x = *(float *)a, y = *(float *)b; return x < y ? -1 : x > y; }

int main(int argc, char **argv) {
  const char *corpus = 0, *url = 0, *outf = 0;
  uint64_t limit = UINT64_MAX;
  struct timespec seed;
  clock_gettime(CLOCK_REALTIME, &seed);
  key0 = (seed.tv_nsec * 0x9E3779B97F4A7C15ull) ^ (seed.tv_sec * 0xD1B54A32D192ED03ull);
  for (int i = 1; i < argc; i++) {
    const char *o = argv[i], *v = i + 1 < argc ? argv[i + 1] : 0;
    if (!strcmp(o, "--gzip")) { use_gzip = 1; continue; }
    if (!v) die("an option lacks its value");
    i++;
    if (!strcmp(o, "--corpus")) corpus = v;
    else if (!strcmp(o, "--url")) url = v;
    else if (!strcmp(o, "--conns")) conns = atoi(v);
    else if (!strcmp(o, "--passes")) passes = atoi(v);
    else if (!strcmp(o, "--limit")) limit = strtoull(v, 0, 10);
    else if (!strcmp(o, "--rate")) rate = atof(v);
    else if (!strcmp(o, "--key")) key0 = strtoull(v, 0, 16);
    else if (!strcmp(o, "--end-ago")) end_ago = atof(v);
    else if (!strcmp(o, "--header")) { size_t l = strlen(extra); snprintf(extra + l, sizeof extra - l, "%s\r\n", v); }
    else if (!strcmp(o, "--out")) outf = v;
    else die("unknown option");
  }
  if (!corpus || !url) die("--corpus and --url are needed");
  if (!strncmp(url, "grpc://", 7)) { grpc = 1; url += 7; } else if (!strncmp(url, "http://", 7)) url += 7; else die("the URL must start with http:// or grpc://");
  const char *sl = strchr(url, '/');
  snprintf(path, sizeof path, "%s", grpc ? "/opentelemetry.proto.collector.trace.v1.TraceService/Export" : sl ? sl : "/v1/traces");
  snprintf(host, sizeof host, "%.*s", (int)(sl ? sl - url : (long)strlen(url)), url);
  char *col = strrchr(host, ':');
  if (!col) die("the URL needs a port");
  snprintf(port, sizeof port, "%s", col + 1);
  *col = 0;
#ifdef NO_ZLIB
  if (use_gzip) die("built without zlib");
#endif
  int fd = open(corpus, O_RDONLY);
  struct stat st;
  if (fd < 0 || fstat(fd, &st)) die("cannot open the corpus");
  const uint8_t *m = mmap(0, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (m == MAP_FAILED || memcmp(m, "OTLPCRP1", 8)) die("not a corpus");
  uint64_t hd[4];
  memcpy(hd, m + 8, 32);
  duration_ns = hd[3];
  recs = calloc(hd[2], sizeof *recs);
  uint64_t spans = 0;
  for (size_t o = 40; o < (size_t)st.st_size && nrecs < hd[2] && spans < limit;) {
    rec *r = &recs[nrecs++];
    memcpy(r, m + o, 16);
    uint32_t *t = malloc(4 * (r->ntid + r->nts)); /* aligned copy */
    memcpy(t, m + o + 24, 4 * (r->ntid + r->nts));
    r->tid = t; r->ts = t + r->ntid;
    r->body = m + o + 24 + 4 * (r->ntid + r->nts);
    o += 24 + 4 * (r->ntid + r->nts) + r->len;
    spans += r->spans;
  }
  lat = calloc(nrecs * passes, sizeof *lat);
  float *lat0 = lat;
  double total = 0;
  FILE *out = outf ? fopen(outf, "w") : 0;
  if (out) fprintf(out, "{\"corpus_spans\": %llu, \"passes\": [", (unsigned long long)spans);
  for (int p = 0; p < passes; p++) {
    key = p ? key0 + p * 0x9E3779B97F4A7C15ull : key0;
    base_ns = wall_ns() - duration_ns - (uint64_t)(end_ago * 1e9);
#ifndef NO_ZLIB
    if (use_gzip) {
      pthread_t g[2];
      atomic_store(&gz_ix, 0);
      for (int i = 0; i < 2; i++) pthread_create(&g[i], 0, gz_worker, 0);
      for (int i = 0; i < 2; i++) pthread_join(g[i], 0);
    }
#endif
    atomic_store(&next_ix, 0); atomic_store(&rate_sent, 0);
    pthread_t th[conns];
    uint64_t w0 = wall_ns();
    t_begin = now();
    for (int i = 0; i < conns; i++) pthread_create(&th[i], 0, worker, 0);
    for (int i = 0; i < conns; i++) pthread_join(th[i], 0);
    double dt = now() - t_begin;
    total += dt;
    lat += nrecs;
    if (out) fprintf(out, "%s{\"key\": \"%016llx\", \"base_ns\": %llu, \"sent_from_ns\": %llu, \"sent_until_ns\": %llu, \"wall_s\": %.3f}", p ? ", " : "",
                     (unsigned long long)key, (unsigned long long)base_ns, (unsigned long long)w0, (unsigned long long)wall_ns(), dt);
  }
  struct rusage ru;
  getrusage(RUSAGE_SELF, &ru);
  size_t nl = nrecs * passes;
  qsort(lat0, nl, sizeof *lat0, cmpf);
  char sum[1400];
  snprintf(sum, sizeof sum, "\"spans\": %llu, \"requests\": %llu, \"sent_bytes\": %llu, \"wall_s\": %.3f, \"spans_per_s\": %.0f, \"retries\": %llu, \"reconnects\": %llu, \"rejected_requests\": %llu, \"rejected_spans\": %llu, \"request_p50_ms\": %.2f, \"request_p99_ms\": %.2f, \"client_cpu_s\": %.3f, \"first_error\": \"%s\"",
           (unsigned long long)ok_spans, (unsigned long long)ok_reqs, (unsigned long long)ok_bytes, total, ok_spans / total, (unsigned long long)retries, (unsigned long long)reconnects,
           (unsigned long long)bad_reqs, (unsigned long long)bad_spans, lat0[nl / 2] * 1e3, lat0[nl * 99 / 100] * 1e3,
           ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1e-6, "");
  printf("{%s}\n", sum);
  if (first_error[0]) fprintf(stderr, "replay: first error: %s\n", first_error);
  if (out) { fprintf(out, "], %s}\n", sum); fclose(out); }
  return bad_reqs ? 1 : 0;
}
