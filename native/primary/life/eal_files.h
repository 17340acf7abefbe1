// Releases what this process holds of a primary's files. EAL keeps each file open, locked and mapped for as long as the
// process lives, even when the primary is gone. A new primary with the same file prefix then finds them taken; and if
// it did start, it would share them with this process.
#pragma once
#include <string>

namespace dpcap {

// Call it when the primary is gone. Gives up the locks and descriptors of the primary's files and makes this process's
// mappings of them private, so that the next primary can start and nothing that EAL still does in this process reaches
// it. Copies in the huge pages can be read as before. Any thread, at any time.
void let_go_of_eal_files(const std::string& runtime_dir);

// Call it after let_go_of_eal_files(). Gives up the huge pages: a primary that uses most of the machine's huge pages
// cannot start again before that. From then on, nothing in this process may touch memory of the primary or call EAL.
void let_go_of_huge_pages();

}  // namespace dpcap
