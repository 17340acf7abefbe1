/** One grammar for how long, in every option; and timers that wait as long as that. */
import t from 'tap';
import { checkOptions } from '../../src/cli/capture-options.js';
import { checkRequest } from '../../src/forward2kni/request.js';
import { startTimer, type TimerHost } from '../../src/system/long-timer.js';
import { durationText, parseDuration } from '../../src/text/duration.js';

const DAY = 86_400_000;

t.test('what can be written', async (t) => {
  const GOOD: [string, number][] = [
    ['90', 90_000],
    ['0.5', 500],
    ['.5s', 500],
    ['250ms', 250],
    ['90s', 90_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['30d', 30 * DAY],
    ['2592000', 30 * DAY],
  ];
  for (const [text, ms] of GOOD) {
    t.equal(parseDuration('--for', text), ms, text);
    t.equal(checkOptions({ autostop: [`duration:${text}`] }).durationMs, ms, `-a duration:${text}`);
    t.equal(checkRequest('0', 'on', { for: text }).durationMs, ms, `forward2kni --for ${text}`);
  }
  t.equal(checkOptions({ statsInterval: '500ms' }).statsIntervalMs, 500);
});

t.test('what cannot is told with both ends of the range and the units', async (t) => {
  for (const text of ['', '0', '-1', '5x', 'm', '1e3', '5 m', '1..5', '9999999999', '4000d', '0.1ms']) {
    const expected = { exitCode: 2, message: /is no duration from 1 ms to 3650 d/, hint: /ms, s, m, h or d/ };
    t.throws(() => parseDuration('--for', text), expected, JSON.stringify(text));
  }
  t.throws(() => parseDuration('--for', '8d', { max: 7 * DAY }), {
    message: '--for: 8d is no duration from 1 ms to 7 d',
  });
  t.throws(() => checkOptions({ statsInterval: '2d' }), { message: /--stats-interval: 2d .* from 100 ms to 1 d/ });
  t.same([500, 1500, 90_000, 3_600_000, 7 * DAY].map(durationText), ['500 ms', '1500 ms', '90 s', '1 h', '7 d']);
});

t.test('numbers are told with both ends and the unit', async (t) => {
  const refused = (raw: Parameters<typeof checkOptions>[0], message: RegExp): unknown =>
    t.throws(() => checkOptions(raw), { exitCode: 2, message }, JSON.stringify(raw));
  refused({ bufferSize: '5' }, /-B: 5 is not a whole number from 2048 to 67108864 KiB/);
  refused({ packetCount: '0' }, /-c: 0 is not a whole number from 1 to 9007199254740991 packets/);
  refused({ autostop: ['filesize:0'] }, /from 1 to 8796093022208 kB/);
  refused({ snapshotLength: '-5' }, /from 0 to 262144 bytes/);
});

/** A clock that is moved by hand, and timers of a host that takes at most 2^31 - 1 ms. */
class Clock implements TimerHost {
  time = 0;
  private timers: { at: number; callback: () => void; isKeepingAlive: boolean }[] = [];

  setTimeout(callback: () => void, ms: number): { unref(): void } {
    if (ms > 2 ** 31 - 1) throw new Error('Node would fire at once');
    const timer = { at: this.time + ms, callback, isKeepingAlive: true };
    this.timers.push(timer);
    return Object.assign(timer, { unref: () => (timer.isKeepingAlive = false) });
  }

  clearTimeout(timer: unknown): void {
    this.timers = this.timers.filter((one) => one !== timer);
  }

  now(): number {
    return this.time;
  }

  get keepingAlive(): number {
    return this.timers.filter((one) => one.isKeepingAlive).length;
  }

  get count(): number {
    return this.timers.length;
  }

  advanceTo(time: number): void {
    for (;;) {
      const [next] = this.timers.filter(({ at }) => at <= time).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.clearTimeout(next);
      this.time = next.at;
      next.callback();
    }
    this.time = time;
  }
}

t.test('a timer of thirty days fires after thirty days, once', async (t) => {
  for (const days of [1, 24, 30, 100, 3650]) {
    const clock = new Clock();
    let fired = 0;
    startTimer(() => fired++, days * DAY, clock);
    clock.advanceTo(days * DAY - 1);
    t.equal(fired, 0, `${days} d: not before`);
    clock.advanceTo(days * DAY + 100 * DAY);
    t.equal(fired, 1);
  }
});

t.test('it can be cancelled, and let the process end, at any time', async (t) => {
  const clock = new Clock();
  const timer = startTimer(() => t.fail('cancelled'), 60 * DAY, clock);
  t.equal(clock.keepingAlive, 1);
  clock.advanceTo(30 * DAY);
  timer.unref();
  t.equal(clock.keepingAlive, 0);
  clock.advanceTo(55 * DAY);
  t.same([clock.count, clock.keepingAlive], [1, 0], 'also its next part');
  timer.cancel();
  clock.advanceTo(100 * DAY);
  await new Promise<void>((resolve) => startTimer(resolve, 1));
});
