/*
 * The limit that downloads are compared with: receives over the BitTorrent wire, hashes and writes, and nothing else.
 * Two threads: one receives straight into the memory of the piece, the other compares its SHA-1 and writes it.
 *
 *   limit ADDRESS PORT INFOHASH TORRENT OUT
 *
 * TORRENT is v1 with one file. Prints "done" and stays until its standard input ends. Any surprise ends it with words.
 * Build: cc -O2 -pthread limit.c -lcrypto
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { block_bytes = 16384, window_blocks = 1500, head_bytes = 13, slab_count = 32 };
enum { msg_unchoke = 1, msg_interested = 2, msg_request = 6, msg_piece = 7 };

static char *torrent;
static size_t torrent_bytes;
static const unsigned char *piece_hashes;
static uint64_t total_bytes, piece_bytes;
static uint32_t piece_count, block_count, blocks_a_piece;
static int sock, out;

/* A piece that is being filled, then hashed, then written; its memory is used again. */
struct slab { uint8_t *bytes; uint32_t piece, missing; };
static struct slab slabs[slab_count];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* Slabs go from `fresh` to the receiver, and over `full` to the writer. */
static int fresh[slab_count], fresh_count, full[slab_count], full_from, full_count;

static int take_fresh(void) {
  pthread_mutex_lock(&lock);
  while (fresh_count == 0) pthread_cond_wait(&changed, &lock);
  int slab = fresh[--fresh_count];
  pthread_mutex_unlock(&lock);
  return slab;
}

static void put_full(int slab) {
  pthread_mutex_lock(&lock);
  full[(full_from + full_count++) % slab_count] = slab;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
}

static uint64_t piece_length(uint32_t piece) {
  uint64_t at = (uint64_t)piece * piece_bytes;
  return total_bytes - at < piece_bytes ? total_bytes - at : piece_bytes;
}

static void *hash_and_write(void *unused) {
  (void)unused;
  for (uint32_t done = 0; done < piece_count; done++) {
    pthread_mutex_lock(&lock);
    while (full_count == 0) pthread_cond_wait(&changed, &lock);
    int taken = full[full_from];
    full_from = (full_from + 1) % slab_count;
    full_count--;
    pthread_mutex_unlock(&lock);
    struct slab *slab = &slabs[taken];
    uint64_t length = piece_length(slab->piece);
    unsigned char digest[20];
    if (!EVP_Digest(slab->bytes, length, digest, NULL, EVP_sha1(), NULL)) errx(1, "no SHA-1");
    if (memcmp(digest, piece_hashes + 20 * (size_t)slab->piece, 20) != 0) errx(1, "piece %u is wrong", slab->piece);
    if (pwrite(out, slab->bytes, length, (off_t)slab->piece * piece_bytes) != (ssize_t)length) err(1, "write");
    pthread_mutex_lock(&lock);
    fresh[fresh_count++] = taken;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

static uint64_t number_after(const char *key) {
  char *at = memmem(torrent, torrent_bytes, key, strlen(key));
  if (at == NULL) errx(1, "the torrent has no %s", key);
  return strtoull(at + strlen(key), NULL, 10);
}

static void read_torrent(const char *path) {
  int file = open(path, O_RDONLY);
  struct stat about;
  if (file < 0 || fstat(file, &about) < 0) err(1, "%s", path);
  torrent_bytes = about.st_size;
  torrent = malloc(torrent_bytes + 1);
  if (read(file, torrent, torrent_bytes) != (ssize_t)torrent_bytes) err(1, "%s", path);
  torrent[torrent_bytes] = 0;
  total_bytes = number_after("6:lengthi");
  piece_bytes = number_after("12:piece lengthi");
  char *at = memmem(torrent, torrent_bytes, "6:pieces", 8);
  if (at == NULL) errx(1, "the torrent has no pieces");
  piece_count = strtoull(at + 8, &at, 10) / 20;
  piece_hashes = (unsigned char *)at + 1;
  block_count = (total_bytes + block_bytes - 1) / block_bytes;
  blocks_a_piece = piece_bytes / block_bytes;
}

static void send_all(const void *bytes, size_t count) {
  if (send(sock, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) err(1, "send");
}

static void receive_all(void *bytes, size_t count) {
  if (recv(sock, bytes, count, MSG_WAITALL) != (ssize_t)count) errx(1, "the seeder has gone");
}

static void put_number(uint8_t *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}

static uint32_t get_number(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return ntohl(value);
}

static uint32_t block_length(uint32_t block) {
  uint64_t at = (uint64_t)block * block_bytes;
  return total_bytes - at < block_bytes ? total_bytes - at : block_bytes;
}

/* Asks for blocks up to `until`, all in one go. */
static uint32_t request_until(uint32_t from, uint32_t until) {
  static uint8_t messages[window_blocks * 17];
  if (until > block_count) until = block_count;
  size_t used = 0;
  for (; from < until; from++, used += 17) {
    uint64_t at = (uint64_t)from * block_bytes;
    put_number(messages + used, head_bytes);
    messages[used + 4] = msg_request;
    put_number(messages + used + 5, at / piece_bytes);
    put_number(messages + used + 9, at % piece_bytes);
    put_number(messages + used + 13, block_length(from));
  }
  if (used > 0) send_all(messages, used);
  return from;
}

static void open_connection(const char *address, const char *port, const char *info_hash) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) errx(1, "no address: %s", address);
  sock = socket(AF_INET, SOCK_STREAM, 0);
  int one = 1;
  setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(sock, (struct sockaddr *)&to, sizeof to) < 0) err(1, "connect");
  uint8_t shake[68] = "\x13" "BitTorrent protocol";
  for (int i = 0; i < 20; i++) sscanf(info_hash + 2 * i, "%2hhx", &shake[28 + i]);
  memcpy(shake + 48, "-XL0001-the limit...", 20);
  send_all(shake, sizeof shake);
  uint8_t theirs[68];
  receive_all(theirs, sizeof theirs);
  if (memcmp(theirs + 28, shake + 28, 20) != 0) errx(1, "another torrent");
  static const uint8_t interested[5] = {0, 0, 0, 1, msg_interested};
  send_all(interested, sizeof interested);
}

/* Passes over everything until the seeder serves us. */
static void wait_for_unchoke(void) {
  for (;;) {
    uint8_t head[5];
    receive_all(head, 4);
    uint32_t length = get_number(head);
    if (length == 0) continue;
    receive_all(head + 4, 1);
    if (head[4] == msg_unchoke) return;
    uint8_t unused[4096];
    for (uint32_t rest = length - 1, part; rest > 0; rest -= part) {
      part = rest < sizeof unused ? rest : sizeof unused;
      receive_all(unused, part);
    }
  }
}

static struct slab *slab_of(uint32_t piece, int *of_piece) {
  if (of_piece[piece] < 0) {
    of_piece[piece] = take_fresh();
    slabs[of_piece[piece]].piece = piece;
    slabs[of_piece[piece]].missing = (piece_length(piece) + block_bytes - 1) / block_bytes;
  }
  return &slabs[of_piece[piece]];
}

/* Takes what is no block out of the head: keep-alives, and messages as short as "unchoke" and "have". */
static size_t pass_small(uint8_t *head, size_t got) {
  for (;;) {
    if (got < 4) return got;
    uint32_t size = 4 + get_number(head);
    if (size > 9) return got;
    if (got < size) return got;
    memmove(head, head + size, got -= size);
  }
}

static void receive_content(void) {
  int *of_piece = malloc(piece_count * sizeof *of_piece);
  memset(of_piece, -1, piece_count * sizeof *of_piece);
  uint32_t asked = request_until(0, window_blocks);
  uint8_t head[head_bytes];
  size_t head_got = 0;
  for (uint32_t got = 0; got < block_count; got++) {
    while (head_got < head_bytes) {
      ssize_t count = recv(sock, head + head_got, head_bytes - head_got, 0);
      if (count <= 0) errx(1, "the seeder has gone");
      head_got = pass_small(head, head_got + count);
    }
    uint32_t length = get_number(head) - 9, piece = get_number(head + 5), begin = get_number(head + 9);
    if (head[4] != msg_piece || piece >= piece_count || length > block_bytes || begin + length > piece_length(piece))
      errx(1, "message %u came between the blocks", head[4]);
    struct slab *slab = slab_of(piece, of_piece);
    uint8_t *at = slab->bytes + begin;
    head_got = 0;
    /* The block goes where it belongs, and what follows it is the next message's head: one call for both. */
    for (uint32_t missing = length; missing > 0;) {
      struct iovec parts[2] = {{at + length - missing, missing}, {head, head_bytes}};
      ssize_t count = readv(sock, parts, got + 1 < block_count ? 2 : 1);
      if (count <= 0) errx(1, "the seeder has gone");
      if ((size_t)count > missing) head_got = count - missing;
      missing = (size_t)count >= missing ? 0 : missing - count;
    }
    head_got = pass_small(head, head_got);
    if (--slab->missing == 0) put_full(of_piece[piece]);
    /* Many requests a call. */
    if (asked < block_count && asked - got <= window_blocks - 64) asked = request_until(asked, got + window_blocks);
  }
}

int main(int count, char **args) {
  if (count != 6) errx(2, "limit ADDRESS PORT INFOHASH TORRENT OUT");
  read_torrent(args[4]);
  out = open(args[5], O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (out < 0 || ftruncate(out, total_bytes) < 0) err(1, "%s", args[5]);
  for (int i = 0; i < slab_count; i++) {
    slabs[i].bytes = malloc(piece_bytes);
    fresh[fresh_count++] = i;
  }
  open_connection(args[1], args[2], args[3]);
  wait_for_unchoke();
  pthread_t writer;
  if (pthread_create(&writer, NULL, hash_and_write, NULL) != 0) errx(1, "no thread");
  receive_content();
  pthread_join(writer, NULL);
  puts("done");
  fflush(stdout);
  while (getchar() != EOF) continue;
  return 0;
}
