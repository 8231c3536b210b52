/*
 * Many downloaders of one seeder in one thread, as cheap as can be: what arrives is thrown away, but each 64th block is
 * compared with the content. So the seeder is what is measured.
 *
 *   leeches ADDRESS PORT INFOHASH CONTENT PIECEBYTES CONNECTIONS ACTIVE FIRST_SOURCE BYTES
 *
 * CONTENT is the torrent's only file. Each connection comes from an address of its own, from FIRST_SOURCE on. Prints
 * "connected" when all have shaken hands. A line on standard input then lets the first ACTIVE download BYTES each, each
 * from another place on; the others stay and ask for nothing. Prints "done" with figures, stays until its input ends.
 * Build: cc -O2 leeches.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { block_bytes = 16384, window_blocks = 64, head_bytes = 13, compare_every = 64, connection_max = 4096 };
enum { keep_alive_s = 60 };
enum { msg_choke = 0, msg_unchoke = 1, msg_interested = 2, msg_request = 6, msg_piece = 7 };

/* Where a connection is within the stream. */
enum state { shaking, in_head, in_block, in_other };

struct leech {
  int sock;
  enum state state;
  uint8_t head[68];
  uint32_t head_got;
  /* Of the message that is passing through. */
  uint32_t missing, compare_at;
  int compares;
  int choked, is_done;
  /* Blocks by number: 0 not asked, 1 asked, 2 here. */
  uint8_t *blocks;
  uint32_t cursor, under_way, got, wanted;
  double done_at;
};

static struct leech leeches[connection_max];
static const uint8_t *content;
static uint64_t total_bytes, piece_bytes;
static uint32_t block_count, connection_count, active_count, shaken_count, done_count, choke_count, compared_count;
static int poll_set;
static uint64_t received_bytes;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
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

/* Requests are small and rare: what the socket does not take at once is a surprise. */
static void send_all(struct leech *leech, const void *bytes, size_t count) {
  if (send(leech->sock, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) err(1, "send");
}

static uint32_t block_length(uint32_t block) {
  uint64_t at = (uint64_t)block * block_bytes;
  return total_bytes - at < block_bytes ? total_bytes - at : block_bytes;
}

static void ask(struct leech *leech) {
  uint8_t messages[window_blocks * 17];
  size_t used = 0;
  if (leech->choked || leech->is_done) return;
  while (leech->under_way < window_blocks && leech->got + leech->under_way < leech->wanted) {
    while (leech->blocks[leech->cursor] != 0) leech->cursor = (leech->cursor + 1) % block_count;
    uint64_t at = (uint64_t)leech->cursor * block_bytes;
    put_number(messages + used, head_bytes);
    messages[used + 4] = msg_request;
    put_number(messages + used + 5, at / piece_bytes);
    put_number(messages + used + 9, at % piece_bytes);
    put_number(messages + used + 13, block_length(leech->cursor));
    used += 17;
    leech->blocks[leech->cursor] = 1;
    leech->under_way++;
  }
  if (used > 0) send_all(leech, messages, used);
}

/* A choke takes back what was asked (BEP 3): it is asked again afterwards. */
static void forget_asked(struct leech *leech) {
  if (leech->blocks == NULL) return;
  for (uint32_t i = 0; i < block_count; i++)
    if (leech->blocks[i] == 1) leech->blocks[i] = 0;
  leech->under_way = 0;
}

static void handle_block(struct leech *leech) {
  uint32_t length = get_number(leech->head) - 9;
  uint64_t at = (uint64_t)get_number(leech->head + 5) * piece_bytes + get_number(leech->head + 9);
  uint32_t block = at / block_bytes;
  if (at % block_bytes != 0 || block >= block_count || length != block_length(block)) errx(1, "a block of wrong size");
  if (leech->blocks[block] == 1) leech->under_way--;
  if (leech->blocks[block] != 2) {
    leech->blocks[block] = 2;
    leech->got++;
    received_bytes += length;
  }
  leech->missing = length;
  leech->compares = leech->got % compare_every == 1;
  leech->compare_at = 0;
  leech->state = in_block;
}

static void handle_message(struct leech *leech) {
  uint32_t length = get_number(leech->head);
  leech->head_got = 0;
  if (length == 0) return;
  uint8_t type = leech->head[4];
  if (type == msg_piece) return handle_block(leech);
  if (type == msg_unchoke) {
    leech->choked = 0;
    ask(leech);
  } else if (type == msg_choke) {
    leech->choked = 1;
    choke_count++;
    forget_asked(leech);
  }
  leech->missing = length - 1;
  if (leech->missing > 0) leech->state = in_other;
}

static void handle_block_end(struct leech *leech) {
  leech->state = in_head;
  if (leech->got == leech->wanted && !leech->is_done) {
    leech->is_done = 1;
    leech->done_at = now();
    done_count++;
  } else if (leech->under_way <= window_blocks - 16) {
    ask(leech);
  }
}

/* Bytes of a block: thrown away by the kernel, or compared. @returns as recv does */
static ssize_t pass_block(struct leech *leech) {
  static uint8_t bytes[block_bytes];
  if (!leech->compares) return recv(leech->sock, NULL, leech->missing, MSG_TRUNC);
  ssize_t count = recv(leech->sock, bytes, leech->missing, 0);
  if (count <= 0) return count;
  uint64_t at = (uint64_t)get_number(leech->head + 5) * piece_bytes + get_number(leech->head + 9) + leech->compare_at;
  if (memcmp(bytes, content + at, count) != 0) errx(1, "a block is not what it should be");
  leech->compare_at += count;
  if ((uint32_t)count == leech->missing) compared_count++;
  return count;
}

/* Heads are read exactly, so that no byte of a block is copied. @returns as recv does */
static ssize_t read_head(struct leech *leech) {
  uint32_t until = leech->state == shaking ? 68 : leech->head_got < 5 ? 5 : head_bytes;
  /* A keep-alive has only four bytes. */
  if (leech->state == in_head && leech->head_got < 4) until = 4;
  ssize_t count = recv(leech->sock, leech->head + leech->head_got, until - leech->head_got, 0);
  if (count <= 0) return count;
  leech->head_got += count;
  if (leech->state == shaking) {
    if (leech->head_got < 68) return count;
    leech->state = in_head;
    leech->head_got = 0;
    shaken_count++;
    return count;
  }
  if (leech->head_got < 4) return count;
  uint32_t length = get_number(leech->head);
  if (length == 0) leech->head_got = 0;
  else if (leech->head_got == 5 && leech->head[4] != msg_piece) handle_message(leech);
  else if (leech->head_got == head_bytes) handle_message(leech);
  return count;
}

static void pass(struct leech *leech) {
  /* Some of each, so that none waits long. */
  for (int turn = 0; turn < 64; turn++) {
    ssize_t count;
    if (leech->state == in_block) {
      count = pass_block(leech);
      if (count > 0 && (leech->missing -= count) == 0) handle_block_end(leech);
    } else if (leech->state == in_other) {
      static uint8_t unused[65536];
      count = recv(leech->sock, unused, leech->missing < sizeof unused ? leech->missing : sizeof unused, 0);
      if (count > 0 && (leech->missing -= count) == 0) leech->state = in_head;
    } else {
      count = read_head(leech);
    }
    if (count > 0) continue;
    if (count < 0 && errno == EAGAIN) return;
    errx(1, "the seeder has closed a connection (%u of %u are done)", done_count, active_count);
  }
}

static void connect_one(uint32_t index, const char *address, const char *port, const char *info_hash, uint32_t source) {
  struct leech *leech = &leeches[index];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(source + index)}};
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) errx(1, "no address: %s", address);
  leech->sock = socket(AF_INET, SOCK_STREAM, 0);
  int one = 1;
  setsockopt(leech->sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (bind(leech->sock, (struct sockaddr *)&from, sizeof from) < 0) err(1, "bind");
  if (connect(leech->sock, (struct sockaddr *)&to, sizeof to) < 0) err(1, "connect");
  uint8_t shake[68] = "\x13" "BitTorrent protocol";
  for (int i = 0; i < 20; i++) sscanf(info_hash + 2 * i, "%2hhx", &shake[28 + i]);
  char id[21];
  snprintf(id, sizeof id, "-XL0001-leech%07u", index % 10000000);
  memcpy(shake + 48, id, 20);
  send_all(leech, shake, sizeof shake);
  fcntl(leech->sock, F_SETFL, O_NONBLOCK);
  leech->choked = 1;
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
  if (epoll_ctl(poll_set, EPOLL_CTL_ADD, leech->sock, &event) < 0) err(1, "epoll");
}

/* Who says nothing for two minutes is let go (BEP 3). */
static void keep_alive(void) {
  static double said_at;
  static const uint8_t nothing[4];
  if (said_at == 0) said_at = now();
  if (shaken_count < connection_count || now() - said_at < keep_alive_s) return;
  said_at = now();
  for (uint32_t i = 0; i < connection_count; i++) send_all(&leeches[i], nothing, sizeof nothing);
}

static void wait_and_pass(int timeout_ms) {
  keep_alive();
  struct epoll_event events[256];
  int count = epoll_wait(poll_set, events, 256, timeout_ms);
  for (int i = 0; i < count; i++)
    if (events[i].data.u32 < connection_count) pass(&leeches[events[i].data.u32]);
}

static void begin(uint64_t bytes) {
  static const uint8_t interested[5] = {0, 0, 0, 1, msg_interested};
  for (uint32_t i = 0; i < active_count; i++) {
    struct leech *leech = &leeches[i];
    leech->blocks = calloc(block_count, 1);
    leech->cursor = (uint64_t)block_count * i / active_count;
    leech->wanted = (bytes + block_bytes - 1) / block_bytes;
    if (leech->wanted > block_count) leech->wanted = block_count;
    send_all(leech, interested, sizeof interested);
    ask(leech);
  }
}

int main(int count, char **args) {
  if (count != 10) errx(2, "leeches ADDRESS PORT INFOHASH CONTENT PIECEBYTES CONNECTIONS ACTIVE FIRST_SOURCE BYTES");
  int file = open(args[4], O_RDONLY);
  struct stat about;
  if (file < 0 || fstat(file, &about) < 0) err(1, "%s", args[4]);
  total_bytes = about.st_size;
  content = mmap(NULL, total_bytes, PROT_READ, MAP_SHARED, file, 0);
  piece_bytes = strtoull(args[5], NULL, 10);
  block_count = (total_bytes + block_bytes - 1) / block_bytes;
  connection_count = atoi(args[6]);
  active_count = atoi(args[7]);
  struct in_addr source;
  if (connection_count > connection_max || active_count > connection_count || !inet_aton(args[8], &source))
    errx(2, "too many connections, or no source address");
  poll_set = epoll_create1(0);
  for (uint32_t i = 0; i < connection_count; i++) {
    connect_one(i, args[1], args[2], args[3], ntohl(source.s_addr));
    while (shaken_count <= i) wait_and_pass(-1);
  }
  puts("{\"type\":\"connected\"}");
  fflush(stdout);

  /* Until a line comes: what the seeder says goes by. */
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = connection_max};
  epoll_ctl(poll_set, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  for (char line[16] = ""; line[0] == 0;) {
    struct epoll_event first[256];
    int ready = epoll_wait(poll_set, first, 256, 1000);
    keep_alive();
    for (int i = 0; i < ready; i++) {
      if (first[i].data.u32 < connection_count) pass(&leeches[first[i].data.u32]);
      else if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
    }
  }
  epoll_ctl(poll_set, EPOLL_CTL_DEL, STDIN_FILENO, NULL);

  double from = now(), first = 0;
  begin(strtoull(args[9], NULL, 10));
  while (done_count < active_count) {
    wait_and_pass(1000);
    if (done_count > 0 && first == 0) first = now();
  }
  printf("{\"type\":\"done\",\"seconds\":%.6f,\"firstSeconds\":%.6f,\"bytes\":%llu,\"chokes\":%u,\"compared\":%u}\n",
         now() - from, first - from, (unsigned long long)received_bytes, choke_count, compared_count);
  fflush(stdout);
  while (getchar() != EOF) continue;
  return 0;
}
