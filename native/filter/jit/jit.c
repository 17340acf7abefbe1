#include "filter/jit/jit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "filter/jit/translate.h"

// The memory is never writable and executable at once.
static int map_code(struct dpcap_jit *jit, const struct code *code) {
  void *const at = mmap(NULL, code->used, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return errno;
  memcpy(at, code->bytes, code->used);
  if (mprotect(at, code->used, PROT_READ | PROT_EXEC) != 0) {
    const int err = errno;
    munmap(at, code->used);
    return err;
  }
  jit->bytes = code->used;
  memcpy(&jit->matches, &at, sizeof at);
  return 0;
}

int dpcap_jit_make(struct dpcap_jit *jit, const struct ebpf_insn *program, uint32_t count) {
#ifdef __x86_64__
  struct code code = {0};
  int err = translate(&code, program, count);
  if (err == 0) err = map_code(jit, &code);
  free(code.bytes);
  return err;
#else
  (void)jit, (void)program, (void)count, (void)map_code;
  return ENOTSUP;
#endif
}

void dpcap_jit_free(struct dpcap_jit *jit) {
  void *at;
  memcpy(&at, &jit->matches, sizeof at);
  munmap(at, jit->bytes);
}
