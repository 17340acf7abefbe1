// A few lines of TAP for native unit tests: CHECK prints one result each, main's end prints the plan.
#pragma once
#include <cstdio>

inline int tap_count = 0;
inline int tap_failed = 0;

#define CHECK(condition)                                                                              \
  do {                                                                                                \
    const bool ok_ = (condition);                                                                     \
    tap_count++;                                                                                      \
    if (!ok_) tap_failed++;                                                                           \
    printf("%s %d - %s (%s:%d)\n", ok_ ? "ok" : "not ok", tap_count, #condition, __FILE__, __LINE__); \
  } while (0)

// For the inside of a long loop: speaks up only when it fails.
#define CHECK_ALL(condition)                      \
  do {                                            \
    if (!(condition)) CHECK(false && #condition); \
  } while (0)

// What a test could not do here.
inline void note(const char* words) { printf("# %s\n", words); }

inline int tap_end() {
  printf("1..%d\n", tap_count);
  return tap_failed == 0 ? 0 : 1;
}
