// From DPDK 25.11 on a primary applies each pdump request itself, then passes it on to its secondaries one by one, and
// answers when all have answered or one has not within 5 s; the secondaries behind that one are not asked any more
// (pdump_request_to_secondary, lib/pdump/rte_pdump.c). This file has dpcap's own answer, and tells who will not answer.
// Any thread that may wait.
#pragma once
#include <string>

namespace dpcap {

// Answers requests that are passed on to this process, which polls no queue: there is nothing to do. (The answer of
// rte_pdump_init() loads the filter first, and leaves it loaded.) Idempotent. Throws ERR_PRIMARY_NOT_CAPTURABLE.
void answer_forwarded_requests();

// Asks the secondary whose socket this is a question of pdump's that changes nothing, and tells whether it answers in
// time. It logs an error for the question. Blocks for `timeout_ms` at most. Throws ERR_SYSTEM when it cannot be asked.
bool answers_pdump(const std::string& socket_path, int timeout_ms);

}  // namespace dpcap
