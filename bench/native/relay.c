/*
 * A long line for datagrams: each is kept for a while, some are lost.
 *
 *   relay LISTEN-ADDRESS LISTEN-PORT TO-ADDRESS TO-PORT DELAY-MS LOST-PER-THOUSAND
 *
 * Whoever sends to LISTEN last is who gets the answers of TO. Each direction holds 1,000 datagrams at most; what comes
 * then is lost, as in a router. Which ones are lost besides is the same in every run. Says {"type":"ready"}, and at
 * SIGTERM what it has carried and lost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HELD = 1000, LONGEST = 2048 };

struct datagram {
  int64_t due_ns;
  size_t length;
  unsigned char bytes[LONGEST];
};

struct direction {
  int from, to;
  struct sockaddr_in target;
  int has_target;
  struct datagram *held;
  int head, count;
  long carried, lost, overflowed;
};

static volatile sig_atomic_t ended;
static int64_t delay_ns;
static uint32_t lost_per_thousand;
static uint64_t random_state = 88172645463325252ull;

static void on_end(int number) {
  (void)number;
  ended = 1;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* xorshift64 (Marsaglia, 2003). */
static uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 32);
}

static int open_socket(const char *address, int port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  int size = 4 << 20;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (fd < 0 || inet_pton(AF_INET, address, &at.sin_addr) != 1) return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  return bind(fd, (struct sockaddr *)&at, sizeof at) == 0 ? fd : -1;
}

static void take(struct direction *way, struct sockaddr_in *sender) {
  for (;;) {
    struct datagram spare, *slot = &spare;
    int fits = way->count < HELD;
    if (fits) slot = &way->held[(way->head + way->count) % HELD];
    socklen_t size = sizeof *sender;
    struct sockaddr_in from;
    ssize_t length = recvfrom(way->from, slot->bytes, LONGEST, 0, (struct sockaddr *)&from, &size);
    if (length < 0) return;
    if (sender != NULL) {
      /* What the far side itself sends here is no question of the near one. */
      if (from.sin_addr.s_addr == way->target.sin_addr.s_addr) continue;
      *sender = from;
    }
    if (!fits) way->overflowed++;
    else if (next_random() % 1000 < lost_per_thousand) way->lost++;
    else {
      slot->length = (size_t)length;
      slot->due_ns = now_ns() + delay_ns;
      way->count++;
    }
  }
}

/* @returns when the next one is due, or -1 */
static int64_t give(struct direction *way) {
  while (way->count > 0) {
    struct datagram *first = &way->held[way->head];
    if (first->due_ns > now_ns()) return first->due_ns;
    if (way->has_target)
      sendto(way->to, first->bytes, first->length, 0, (struct sockaddr *)&way->target, sizeof way->target);
    way->head = (way->head + 1) % HELD;
    way->count--;
    way->carried++;
  }
  return -1;
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "relay LISTEN-ADDRESS LISTEN-PORT TO-ADDRESS TO-PORT DELAY-MS LOST-PER-THOUSAND\n");
    return 2;
  }
  int near = open_socket(argv[1], atoi(argv[2])), far = open_socket(argv[1], 0);
  if (near < 0 || far < 0) {
    perror("relay");
    return 1;
  }
  delay_ns = atoll(argv[5]) * 1000000;
  lost_per_thousand = (uint32_t)atoi(argv[6]);
  struct direction there = {.from = near, .to = far, .has_target = 1};
  struct direction back = {.from = far, .to = near};
  there.target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[4]))};
  there.held = calloc(HELD, sizeof *there.held);
  back.held = calloc(HELD, sizeof *back.held);
  if (inet_pton(AF_INET, argv[3], &there.target.sin_addr) != 1 || there.held == NULL || back.held == NULL) return 1;
  signal(SIGTERM, on_end);
  puts("{\"type\":\"ready\"}");
  fflush(stdout);
  while (!ended) {
    int64_t first = give(&there), second = give(&back);
    int64_t due = first < 0 || (second >= 0 && second < first) ? second : first;
    int64_t wait = due < 0 ? 1000000000ll : due - now_ns();
    struct timespec timeout = {wait > 0 ? wait / 1000000000ll : 0, wait > 0 ? wait % 1000000000ll : 0};
    struct pollfd fds[2] = {{near, POLLIN, 0}, {far, POLLIN, 0}};
    if (ppoll(fds, 2, &timeout, NULL) < 0 && errno != EINTR) return 1;
    if (fds[0].revents) {
      struct sockaddr_in sender = back.target;
      take(&there, &sender);
      back.target = sender;
      back.has_target = sender.sin_port != 0;
    }
    if (fds[1].revents) take(&back, NULL);
  }
  printf("{\"type\":\"carried\",\"there\":%ld,\"back\":%ld,\"lost\":%ld,\"overflowed\":%ld}\n", there.carried,
         back.carried, there.lost + back.lost, there.overflowed + back.overflowed);
  return 0;
}
