/*
 * dpcap's agent, for an application that is linked with it instead of loading it with -d or LD_PRELOAD:
 *
 *   cc -I DIR-OF-THIS-FILE app.c $(dpcap agent path) ...
 *
 * Nothing has to be called: the library starts by itself and does nothing until somebody captures. See docs/agent.md.
 */
#ifndef DPCAP_AGENT_H
#define DPCAP_AGENT_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes sure that the agent is there, also where the linker drops libraries that nobody calls (--as-needed). Any
 * thread, at any time, as often as wanted. Returns 0, or -ENOTSUP when the program has no DPDK that the agent can see:
 * one that is linked statically has to export its symbols (-Wl,--export-dynamic).
 */
int dpcap_agent_start(void);

#ifdef __cplusplus
}
#endif

#endif
