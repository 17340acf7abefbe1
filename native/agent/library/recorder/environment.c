#define _GNU_SOURCE
#include "agent/library/recorder/environment.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/library/datapath/filter.h"
#include "agent/library/recorder/order.h"

#define DEFAULT_MEMORY (UINT64_C(256) << 20)

struct words {
  struct dpcap_agent_recorder_order head;
  const char *ports;
  const char *program;
  const char *program_tx;
  const char *filter;
};

static bool read_size(const char *text, uint64_t *size) {
  char *end;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (!isdigit((unsigned char)text[0]) || errno != 0) return false;
  const char unit = *end == 0 ? 0 : *end++;
  const unsigned int shift = unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;
  if (*end != 0 || (unit != 0 && shift == 0) || value > UINT64_MAX >> shift) return false;
  *size = (uint64_t)value << shift;
  return true;
}

static bool read_directions(const char *text, uint32_t *directions) {
  *directions = strcmp(text, "rx") == 0     ? DPCAP_AGENT_RX
                : strcmp(text, "tx") == 0   ? DPCAP_AGENT_TX
                : strcmp(text, "both") == 0 ? DPCAP_AGENT_RX | DPCAP_AGENT_TX
                                            : 0;
  return *directions != 0;
}

static const char *read_word(struct words *all, const char *name, const char *value) {
  uint64_t snaplen = 0;
  if (strcmp(name, "memory") == 0)
    return read_size(value, &all->head.memory_bytes) ? NULL : "memory is no size such as 256M";
  if (strcmp(name, "directions") == 0)
    return read_directions(value, &all->head.directions) ? NULL : "directions is none of rx, tx, both";
  if (strcmp(name, "snaplen") == 0) {
    if (!read_size(value, &snaplen) || snaplen == 0 || snaplen > RECORDER_MOST_SNAPLEN)
      return "snaplen is no number of bytes";
    all->head.snaplen = (uint32_t)snaplen;
    return NULL;
  }
  const char **const text = strcmp(name, "ports") == 0        ? &all->ports
                            : strcmp(name, "program") == 0    ? &all->program
                            : strcmp(name, "program-tx") == 0 ? &all->program_tx
                                                              : NULL;
  if (text == NULL) return "there is a word other than memory, snaplen, directions, ports, program, program-tx, filter";
  *text = value;
  return NULL;
}

static const char *split(char *text, struct words *all) {
  while (text != NULL && *text != 0) {
    char *const value = strchr(text, '=');
    if (value == NULL) return "a word has no value";
    *value = 0;
    if (strcmp(text, "filter") == 0) {
      all->filter = value + 1;
      return NULL;
    }
    char *const name = text;
    text = strchr(value + 1, ',');
    if (text != NULL) *text++ = 0;
    const char *const problem = read_word(all, name, value + 1);
    if (problem != NULL) return problem;
  }
  return NULL;
}

static int digit(char letter) {
  const char *const digits = "0123456789abcdef";
  const char *const found = letter == 0 ? NULL : strchr(digits, letter);
  return found == NULL ? -1 : (int)(found - digits);
}

// Writes the bytes that the hexadecimal digits stand for; returns whether they are such, and whole instructions.
static bool write_program(const char *hex, uint8_t **out, uint32_t *instructions) {
  const size_t bytes = strlen(hex) / 2;
  if (strlen(hex) % 2 != 0 || bytes % FILTER_INSTRUCTION_BYTES != 0) return false;
  for (size_t i = 0; i < bytes; i++) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    *(*out)++ = (uint8_t)(high << 4 | low);
  }
  *instructions = (uint32_t)(bytes / FILTER_INSTRUCTION_BYTES);
  return true;
}

// Devices are separated by a plus sign: names of PCI devices hold colons, and words end at a comma.
static bool write_devices(const char *names, uint8_t **out, uint32_t *count) {
  while (names != NULL && *names != 0) {
    const size_t length = strcspn(names, "+");
    if (length == 0 || length >= DPCAP_AGENT_DEVICE_BYTES) return false;
    memset(*out, 0, DPCAP_AGENT_DEVICE_BYTES);
    memcpy(*out, names, length);
    *out += DPCAP_AGENT_DEVICE_BYTES;
    names += length + (names[length] == '+');
    ++*count;
  }
  return true;
}

static const char *to_message(struct words *all, uint8_t *message, size_t *bytes) {
  uint8_t *out = message + sizeof all->head;
  if (!write_devices(all->ports, &out, &all->head.device_count)) return "ports is no list of names of devices";
  if (!write_program(all->program, &out, &all->head.rx_instructions) ||
      !write_program(all->program_tx, &out, &all->head.tx_instructions))
    return "a program is not whole";
  all->head.filter_bytes = (uint32_t)strlen(all->filter);
  memcpy(out, all->filter, all->head.filter_bytes);
  memcpy(message, &all->head, sizeof all->head);
  *bytes = (size_t)(out - message) + all->head.filter_bytes;
  return NULL;
}

const char *environment_read(const char *words, uint8_t **message, size_t *bytes) {
  struct words all = {
      {DEFAULT_MEMORY, RECORDER_MOST_SNAPLEN, DPCAP_AGENT_RX | DPCAP_AGENT_TX, 0, 0, 0, 0}, "", "", "", ""};
  *message = NULL;
  if (words == NULL || *words == 0) return NULL;
  char *const copy = strdup(words);
  // A name of a device takes more room here than there, and everything else less.
  *message = malloc(sizeof all.head + (strlen(words) + 1) * DPCAP_AGENT_DEVICE_BYTES);
  const char *problem = copy == NULL || *message == NULL ? "there is no memory" : split(copy, &all);
  if (problem == NULL && all.filter[0] != 0 && all.program[0] == 0)
    problem = "a filter needs the program that `dpcap recorder env` prints with it";
  if (problem == NULL) problem = to_message(&all, *message, bytes);
  free(copy);
  if (problem != NULL) {
    free(*message);
    *message = NULL;
  }
  return problem;
}
