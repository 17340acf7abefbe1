/** The upper limits of what a capture can be asked for. */
/** tcpdump's default and largest snaplen, bytes. */
export const MAX_SNAPLEN = 262144;

/**
 * The most drain threads, which the addon also enforces. Each takes 18 MiB of memory when it drains for a file, and a
 * little CPU time when no packets come.
 */
export const MAX_THREADS = 8;
