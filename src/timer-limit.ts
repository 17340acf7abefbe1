/** The longest time that Node's timers can wait, seconds: 24.8 days. A longer one ends at once. */
export const MAX_TIMER_S = (2 ** 31 - 1) / 1000;
