/*
 * Announces to a tracker as fast as it answers, from one thread.
 *
 *   announces udp|http ADDRESS PORT SECONDS SWARMS SOURCE SOURCES
 *
 * Info-hashes are the 20 bytes "tequio-announce-0000" and so on, SWARMS of them, by chance; each announce has a peer id
 * and port of its own by chance, comes from one of SOURCES addresses from SOURCE on, and asks for 30 peers.
 * UDP (BEP 15): one connection id a socket, many announces under way; one that is not answered within a second is lost.
 * HTTP: a TCP connection for each announce, as clients do it. Prints a line of JSON. Build: cc -O2 announces.c
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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { socket_count = 8, udp_window = 32, http_window = 64, batch = 32, wanted_peers = 30 };
enum { connect_bytes = 16, announce_bytes = 98, action_connect = 0, action_announce = 1 };

static struct sockaddr_in to;
static uint32_t first_source, source_count, swarm_count;
static uint64_t asked, answered, refused, peers_told;
static double end_at;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

/* xorshift64: a few cycles, and the same in each run. */
static uint64_t random_bits(void) {
  static uint64_t state = 0x9e3779b97f4a7c15u;
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static void put_number(uint8_t *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}

static void put_info_hash(char *at) {
  char text[32];
  snprintf(text, sizeof text, "tequio-announce-%04u", (unsigned)(random_bits() % swarm_count));
  memcpy(at, text, 20);
}

static int open_socket(int type, uint32_t index) {
  int sock = socket(AF_INET, type | SOCK_NONBLOCK, 0);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(first_source + index % source_count)}};
  int one = 1;
  /* With an address given and no port: the port is chosen when it is known where to. */
  setsockopt(sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (sock < 0 || bind(sock, (struct sockaddr *)&from, sizeof from) < 0) err(1, "bind");
  if (connect(sock, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) err(1, "connect");
  return sock;
}

/* -- UDP */

struct channel { int sock; uint8_t id[8]; uint32_t under_way; double heard_at; };
static struct channel channels[socket_count];

static void udp_connect(struct channel *channel) {
  static const uint8_t magic[8] = {0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80};
  uint8_t question[connect_bytes] = {0}, answer[64];
  memcpy(question, magic, 8);
  put_number(question + 8, action_connect);
  put_number(question + 12, 7);
  for (int tries = 0; tries < 10; tries++) {
    if (send(channel->sock, question, sizeof question, 0) < 0) err(1, "send");
    for (double until = now() + 0.5; now() < until;) {
      ssize_t count = recv(channel->sock, answer, sizeof answer, 0);
      if (count < 16 || answer[3] != action_connect) continue;
      memcpy(channel->id, answer + 8, 8);
      return;
    }
  }
  errx(1, "the tracker does not answer");
}

static void udp_fill(struct channel *channel) {
  static uint8_t questions[batch][announce_bytes];
  struct mmsghdr messages[batch];
  struct iovec parts[batch];
  int count = 0;
  for (; count < batch && channel->under_way + count < udp_window; count++) {
    uint8_t *question = questions[count];
    uint64_t who = random_bits();
    memset(question, 0, announce_bytes);
    memcpy(question, channel->id, 8);
    put_number(question + 8, action_announce);
    put_number(question + 12, who);
    put_info_hash((char *)question + 16);
    memcpy(question + 36, "-XL0001-", 8);
    memcpy(question + 44, &who, 8);
    put_number(question + 64 + 4, 1 << 20);
    put_number(question + 88, who);
    put_number(question + 92, wanted_peers);
    question[96] = 4 + (who >> 8) % 250;
    question[97] = who;
    parts[count] = (struct iovec){question, announce_bytes};
    messages[count] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[count], .msg_iovlen = 1}};
  }
  if (count == 0) return;
  int sent = sendmmsg(channel->sock, messages, count, 0);
  if (sent < 0) return;
  asked += sent;
  channel->under_way += sent;
}

static void udp_hear(struct channel *channel) {
  static uint8_t answers[batch][2048];
  struct mmsghdr messages[batch];
  struct iovec parts[batch];
  for (int i = 0; i < batch; i++) {
    parts[i] = (struct iovec){answers[i], sizeof answers[i]};
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
  }
  int count = recvmmsg(channel->sock, messages, batch, 0, NULL);
  for (int i = 0; i < count; i++) {
    if (channel->under_way > 0) channel->under_way--;
    if (messages[i].msg_len < 20 || answers[i][3] != action_announce) {
      refused++;
      continue;
    }
    answered++;
    peers_told += (messages[i].msg_len - 20) / 6;
  }
  if (count > 0) channel->heard_at = now();
}

static void run_udp(void) {
  int poll_set = epoll_create1(0);
  for (uint32_t i = 0; i < socket_count; i++) {
    channels[i].sock = open_socket(SOCK_DGRAM, i);
    udp_connect(&channels[i]);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(poll_set, EPOLL_CTL_ADD, channels[i].sock, &event);
    udp_fill(&channels[i]);
    channels[i].heard_at = now();
  }
  double time;
  while ((time = now()) < end_at) {
    struct epoll_event events[socket_count];
    int count = epoll_wait(poll_set, events, socket_count, 100);
    for (int i = 0; i < count; i++) {
      udp_hear(&channels[events[i].data.u32]);
      udp_fill(&channels[events[i].data.u32]);
    }
    for (int i = 0; i < socket_count; i++) {
      if (time - channels[i].heard_at < 1) continue;
      channels[i].under_way = 0;
      channels[i].heard_at = time;
      udp_fill(&channels[i]);
    }
  }
}

/* -- HTTP */

struct asking { int sock; char answer[4096]; size_t got; };
static struct asking askings[http_window];

static void http_ask(int poll_set, uint32_t index) {
  static uint32_t next_source;
  struct asking *asking = &askings[index];
  asking->sock = open_socket(SOCK_STREAM, next_source++);
  asking->got = 0;
  /* Closed at once by a reset: the ports of this machine would run out within a second. */
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  setsockopt(asking->sock, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  struct epoll_event event = {.events = EPOLLOUT, .data.u32 = index};
  epoll_ctl(poll_set, EPOLL_CTL_ADD, asking->sock, &event);
}

static void http_send(int poll_set, uint32_t index) {
  char info_hash[21] = "", question[512];
  put_info_hash(info_hash);
  uint64_t who = random_bits();
  int length = snprintf(question, sizeof question,
                        "GET /announce?info_hash=%s&peer_id=-XL0001-%012u&port=%u&uploaded=0&downloaded=0&left=1048576"
                        "&compact=1&numwant=%d HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n\r\n",
                        info_hash, (unsigned)(who >> 32), (unsigned)(1024 + who % 64000), wanted_peers);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
  epoll_ctl(poll_set, EPOLL_CTL_MOD, askings[index].sock, &event);
  if (send(askings[index].sock, question, length, MSG_NOSIGNAL) == length) asked++;
}

/* @returns whether the answer is complete, or never will be */
static int http_hear(struct asking *asking) {
  ssize_t count = recv(asking->sock, asking->answer + asking->got, sizeof asking->answer - 1 - asking->got, 0);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count > 0) asking->got += count;
  asking->answer[asking->got] = 0;
  char *body = strstr(asking->answer, "\r\n\r\n");
  char *length = strcasestr(asking->answer, "content-length:");
  int is_whole = body != NULL && length != NULL &&
                 asking->got >= (size_t)(body + 4 - asking->answer) + strtoul(length + 15, NULL, 10);
  if (!is_whole && count > 0) return 0;
  if (body != NULL && strncmp(asking->answer, "HTTP/1.", 7) == 0 && strncmp(asking->answer + 9, "200", 3) == 0 &&
      memmem(body, asking->answer + asking->got - body, "5:peers", 7) != NULL)
    answered++;
  else
    refused++;
  return 1;
}

static void run_http(void) {
  int poll_set = epoll_create1(0);
  for (uint32_t i = 0; i < http_window; i++) http_ask(poll_set, i);
  while (now() < end_at) {
    struct epoll_event events[http_window];
    int count = epoll_wait(poll_set, events, http_window, 100);
    for (int i = 0; i < count; i++) {
      uint32_t index = events[i].data.u32;
      if (events[i].events & EPOLLOUT) {
        http_send(poll_set, index);
      } else if (http_hear(&askings[index])) {
        close(askings[index].sock);
        http_ask(poll_set, index);
      }
    }
  }
}

int main(int count, char **args) {
  struct in_addr source;
  if (count != 8 || !inet_aton(args[6], &source))
    errx(2, "announces udp|http ADDRESS PORT SECONDS SWARMS SOURCE SOURCES");
  to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(args[3]))};
  if (inet_pton(AF_INET, args[2], &to.sin_addr) != 1) errx(1, "no address: %s", args[2]);
  first_source = ntohl(source.s_addr);
  source_count = atoi(args[7]);
  swarm_count = atoi(args[5]);
  double from = now();
  end_at = from + atof(args[4]);
  if (strcmp(args[1], "udp") == 0) run_udp();
  else run_http();
  printf("{\"asked\":%llu,\"answered\":%llu,\"refused\":%llu,\"peers\":%llu,\"seconds\":%.6f}\n",
         (unsigned long long)asked, (unsigned long long)answered, (unsigned long long)refused,
         (unsigned long long)peers_told, now() - from);
  return 0;
}
