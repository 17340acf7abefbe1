// What this process holds of a primary's files: EAL keeps each of them open and locked for as long as the process
// lives, also when the primary is gone, and whoever starts under the same file prefix finds them taken.
#pragma once
#include <string>

namespace dpcap {

// Gives up the locks and descriptors of the runtime directory's and the huge pages' files; what is mapped stays mapped.
// To be called when the primary is gone: with them EAL protects its memory from the next one. Any thread, at any time.
void let_go_of_eal_files(const std::string& runtime_dir);

// Gives up the memory itself, too. Nothing in this process may touch memory of the primary any more, nor call EAL.
void let_go_of_eal_memory(const std::string& runtime_dir);

}  // namespace dpcap
