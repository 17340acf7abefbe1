#include "primary/lean_eal.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <rte_config.h>
#include <rte_eal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/process/mappings.h"

namespace dpcap {
namespace {

// Called by librte_eal in the place of stat(): eal_plugins_init() asks whether the folder is there
// (lib/eal/common/eal_common_options.c).
int stat_without_plugins(const char* path, struct stat* status) {
  if (strstr(path, "/pmds-") == nullptr) return stat(path, status);
  errno = ENOENT;
  return -1;
}

struct Tables {
  const char* strings = nullptr;
  const ElfW(Sym) * symbols = nullptr;
  const ElfW(Rela) * relocations[2] = {nullptr, nullptr};  // of data, and of calls
  size_t sizes[2] = {0, 0};
};

Tables tables_of(const link_map* map) {
  Tables tables;
  for (const ElfW(Dyn)* entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
    const auto* pointer = reinterpret_cast<const void*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_STRTAB) tables.strings = static_cast<const char*>(pointer);
    if (entry->d_tag == DT_SYMTAB) tables.symbols = static_cast<const ElfW(Sym)*>(pointer);
    if (entry->d_tag == DT_RELA) tables.relocations[0] = static_cast<const ElfW(Rela)*>(pointer);
    if (entry->d_tag == DT_RELASZ) tables.sizes[0] = entry->d_un.d_val;
    if (entry->d_tag == DT_JMPREL) tables.relocations[1] = static_cast<const ElfW(Rela)*>(pointer);
    if (entry->d_tag == DT_PLTRELSZ) tables.sizes[1] = entry->d_un.d_val;
  }
  return tables;
}

// Whether this process may write there at this moment.
bool is_writable(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  const auto mapping = find_mapping("self", [at](const Mapping& one) { return one.holds(at); });
  return mapping && (mapping->protection & PROT_WRITE) != 0;
}

// Writes the address of a function into a slot. The loader has made it read-only in a library that is linked with
// -z now; in others the slot shares its page with data that has to stay writable.
bool write_slot(void** slot, void* function) {
  if (is_writable(slot)) {
    *slot = function;
    return true;
  }
  const auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  void* page = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(slot) & ~(page_size - 1));
  if (mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0) return false;
  *slot = function;
  return mprotect(page, page_size, PROT_READ) == 0;
}

// Has a library call `function` where it calls the function of this name in another library.
bool replace_call(const link_map* map, const char* name, void* function) {
  const Tables tables = tables_of(map);
  bool is_replaced = false;
  for (int table = 0; table < 2; table++) {
    for (size_t i = 0; i < tables.sizes[table] / sizeof(ElfW(Rela)); i++) {
      const ElfW(Rela)& relocation = tables.relocations[table][i];
      const ElfW(Sym)& symbol = tables.symbols[ELF64_R_SYM(relocation.r_info)];
      if (strcmp(tables.strings + symbol.st_name, name) != 0) continue;
      is_replaced |= write_slot(reinterpret_cast<void**>(map->l_addr + relocation.r_offset), function);
    }
  }
  return is_replaced;
}

// The library that has this function; it stays loaded.
const link_map* library_of(void* function) {
  Dl_info info;
  void* map = nullptr;
  return dladdr1(function, &info, &map, RTLD_DL_LINKMAP) != 0 ? static_cast<const link_map*>(map) : nullptr;
}

// It is loaded already with the primary's own libraries (host/libraries.h), or is among the plugins of this build.
bool load_ring_handlers() {
  const std::string name = "librte_mempool_ring.so." DPCAP_DPDK_ABI;
  return dlopen(name.c_str(), RTLD_NOW | RTLD_NOLOAD) != nullptr ||
         dlopen((RTE_EAL_PMD_PATH "/" + name).c_str(), RTLD_NOW) != nullptr ||
         dlopen(name.c_str(), RTLD_NOW) != nullptr;
}

}  // namespace

bool hide_plugins() {
  const link_map* eal = library_of(reinterpret_cast<void*>(rte_eal_init));
  if (eal == nullptr || !load_ring_handlers()) return false;
  // It is one of the two, by how DPDK was built; on 64-bit systems they are the same.
  const auto function = reinterpret_cast<void*>(stat_without_plugins);
  return replace_call(eal, "stat64", function) || replace_call(eal, "stat", function);
}

}  // namespace dpcap
