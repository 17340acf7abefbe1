/** What a capture can be asked for at most. */
/** tcpdump's default and largest snaplen, bytes. */
export const MAX_SNAPLEN = 262144;

/** Each takes 18 MiB of memory when it drains for a file, and a little CPU when nothing comes. The addon takes no more. */
export const MAX_THREADS = 8;
