// A process with an agent, as an engine sees it: over the socket of a server that runs in this process.
#pragma once
#include <string>

void test_agent_process(const std::string& path);
// What is in the memory when the process ends is recorded all the same.
void test_last_packets(const std::string& path);
// As many captures as it serves, and one more; others are still answered.
void test_captures(const std::string& path);
// A thread that does not leave the callback keeps the memory, and no other waits for it.
void test_grace(const std::string& path);
// An answer that comes after its request was given up on.
void test_late_answer(const std::string& directory);
// An agent of another dpcap, which speaks another version of the protocol.
void test_other_agent(const std::string& directory);
