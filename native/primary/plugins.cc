#include "primary/plugins.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <rte_bus.h>
#include <rte_config.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/process/mappings.h"

// It is in the driver SDK's bus_driver.h, which distributions do not install; librte_eal exports it in every release.
extern "C" void rte_bus_unregister(struct rte_bus* bus);

namespace dpcap {
namespace {

void unregister_buses() {
  const auto any = [](const rte_bus*, const void*) { return 0; };
  while (rte_bus* bus = rte_bus_find(nullptr, any, nullptr)) rte_bus_unregister(bus);
}

// Loads the buses of a folder before EAL does, which is then a no-op, and takes them out of its list.
void disarm(const char* folder) {
  DIR* dir = opendir(folder);
  if (dir == nullptr) return;
  while (const dirent* entry = readdir(dir)) {
    if (strncmp(entry->d_name, "librte_bus_", 11) != 0) continue;
    // A library that cannot be loaded cannot register a bus either.
    dlopen((std::string(folder) + "/" + entry->d_name).c_str(), RTLD_NOW);
  }
  closedir(dir);
  unregister_buses();
}

// What librte_eal calls in the place of stat(): eal_plugins_init() asks whether the folder is there before it loads
// what is in it (lib/eal/common/eal_common_options.c). Folders of other names are asked about by nothing else in EAL
// that has buses.
using Stat = int (*)(const char* path, struct stat* status);

int stat_and_disarm(const char* path, struct stat* status) {
  const int result = stat(path, status);
  if (result == 0 && S_ISDIR(status->st_mode)) disarm(path);
  return result;
}

int stat_without_plugins(const char* path, struct stat* status) {
  if (strstr(path, "/pmds-") == nullptr) return stat_and_disarm(path, status);
  errno = ENOENT;
  return -1;
}

// stat() of a library that was built before glibc 2.33.
template <Stat function>
int versioned(int, const char* path, struct stat* status) {
  return function(path, status);
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

// It is one of these, by how DPDK was built; on 64-bit systems stat() and stat64() are the same.
template <Stat function>
bool replace_stat() {
  const link_map* eal = library_of(reinterpret_cast<void*>(rte_bus_find));
  if (eal == nullptr) return false;
  const auto today = reinterpret_cast<void*>(function);
  const auto once = reinterpret_cast<void*>(versioned<function>);
  return replace_call(eal, "stat64", today) || replace_call(eal, "stat", today) ||
         replace_call(eal, "__xstat64", once) || replace_call(eal, "__xstat", once);
}

}  // namespace

bool forget_buses() {
  unregister_buses();
  return replace_stat<stat_and_disarm>();
}

bool hide_plugins() {
  if (!load_ring_handlers()) return false;
  unregister_buses();
  return replace_stat<stat_without_plugins>();
}

}  // namespace dpcap
