// What this process has of a primary's files: EAL keeps each of them open, locked and mapped for as long as the process
// lives, also when the primary is gone. Whoever starts under the same file prefix then finds them taken; and if it did
// start, it would share them with us.
#pragma once
#include <string>

namespace dpcap {

// To be called when the primary is gone: gives up the locks and descriptors of its files and leaves what we have mapped
// of them to us alone, so that the next primary can start and nothing that EAL still does in this process reaches it.
// Copies in the huge pages can be read as before. Any thread, at any time.
void let_go_of_eal_files(const std::string& runtime_dir);

// After that, gives up the huge pages: a primary that uses most of the machine's cannot start again before. Nothing in
// this process may touch memory of the primary, nor call EAL, from now on.
void let_go_of_huge_pages();

}  // namespace dpcap
