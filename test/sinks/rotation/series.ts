/** Files that follow one another, with a test in the place of the addon. */
import { existsSync, fstatSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { FileTurn } from '../../../src/native/capture-binding.js';
import { openUnfinished } from '../../../src/sinks/file.js';
import type { RotationPlan } from '../../../src/sinks/rotation/plan.js';
import { FileSeries } from '../../../src/sinks/rotation/series.js';
import { unfinishedName } from '../../../src/sinks/unfinished.js';

const PLAN: RotationPlan = {
  bytes: 0,
  packets: 1,
  durationMs: 0,
  intervalMs: 0,
  mostFiles: 0,
  ring: 0,
  names: { kind: 'counted', digits: 0 },
};

/** A series in a folder of the test's, and what the addon was given and told of it. */
class Played {
  readonly folder: string;
  readonly series: FileSeries;
  readonly finished: string[] = [];
  readonly notices: string[] = [];
  readonly supplied: number[] = [];
  refusal: number | undefined;
  #turns: FileTurn[] = [];

  static async begin(t: Test, plan: Partial<RotationPlan> = {}, folder = t.testdir({})): Promise<Played> {
    const path = join(folder, 'x.pcap');
    const unfinished = unfinishedName(path);
    return new Played(folder, plan, await openUnfinished(path, unfinished), unfinished);
  }

  private constructor(
    folder: string,
    plan: Partial<RotationPlan>,
    first: Awaited<ReturnType<typeof openUnfinished>>,
    unfinished: string,
  ) {
    this.folder = folder;
    const path = join(folder, 'x.pcap');
    this.supplied.push(first.sink.fd);
    this.series = new FileSeries({ path, unfinished }, { ...PLAN, ...plan }, first, {
      finished: (file) => this.finished.push(file.slice(this.folder.length + 1)),
      notice: (text) => this.notices.push(text),
    });
    this.series.begin({
      supplyFile: (fd) => this.supplied.push(fd),
      refuseFile: (errno) => {
        this.refusal = errno;
      },
      fileTurns: () => this.#turns.splice(0),
    });
  }

  /** The addon writes a file from beginning to end. */
  async write(number: number, bytes = 4): Promise<void> {
    this.#turns.push({ number, isFinished: false, bytes: 0n, beginNs: 0n });
    this.series.turn();
    await this.settled();
    if (bytes > 0) writeSync(this.supplied[number - 1] ?? -1, 'x'.repeat(bytes));
    this.#turns.push({ number, isFinished: true, bytes: BigInt(bytes), beginNs: 1_796_000_000_000_000_000n });
    this.series.turn();
    await this.settled();
  }

  /** Resolves when what was begun has been done: to ask for no room at all comes last. */
  settled(): Promise<number> {
    return this.series.makeRoom(0);
  }

  names(): string[] {
    return readdirSync(this.folder).sort();
  }
}

t.test('one file after the other gets its name, and what was not needed is removed', async (t) => {
  const played = await Played.begin(t);
  for (let number = 1; number <= 3; number++) await played.write(number);
  t.equal(played.names().filter((name) => name.endsWith('.partial')).length, 1, 'the next one is there beforehand');
  t.same(await played.series.end(), { file: join(played.folder, 'x.pcap2') });
  t.same(played.names(), ['x.pcap', 'x.pcap1', 'x.pcap2']);
  t.same(played.finished, ['x.pcap', 'x.pcap1', 'x.pcap2']);
  t.equal(fstatSync(played.supplied[3] ?? -1).nlink, 0);
});

t.test('a ring of three has never more, through 200 rotations', async (t) => {
  const played = await Played.begin(t, { ring: 3, names: { kind: 'numbered' } });
  for (let number = 1; number <= 200; number++) {
    await played.write(number);
    const there = played.names().filter((name) => !name.endsWith('.partial'));
    if (there.length !== Math.min(number, 3)) t.fail(`${there.length} files after ${number}`);
  }
  await played.series.end();
  t.same(
    played.names().map((name) => name.slice(0, 7)),
    ['x_00198', 'x_00199', 'x_00200'],
  );
  t.same(played.notices, []);
});

t.test('two captures that give the same name in the same moment keep both files', async (t) => {
  const numbered = { names: { kind: 'numbered' } } as const;
  const first = await Played.begin(t, numbered);
  const both = [first, await Played.begin(t, numbered, first.folder)];
  for (let number = 1; number <= 5; number++) await Promise.all(both.map((one) => one.write(number)));
  for (const one of both) await one.series.end();
  const given = both.flatMap(({ finished }) => finished).sort();
  t.same([given.length, new Set(given).size], [10, 10]);
  t.same(first.names(), given);
});

t.test('a numbered file does not take the place of another', async (t) => {
  const played = await Played.begin(t, { names: { kind: 'numbered' } });
  await played.write(1);
  const [name = ''] = played.finished;
  rmSync(join(played.folder, name));
  const again = await Played.begin(t, { names: { kind: 'numbered' } });
  writeFileSync(join(again.folder, name), 'of another capture');
  await again.write(1);
  t.same(again.finished, [name.replace('.pcap', '-2.pcap')]);
});

t.test('a file without a header is none', async (t) => {
  const played = await Played.begin(t);
  await played.write(1);
  await played.write(2, 0);
  await played.series.end();
  t.same(played.names(), ['x.pcap']);
});

t.test('when no file can be made, the addon is told why', async (t) => {
  const played = await Played.begin(t);
  await played.write(1);
  rmSync(played.folder, { recursive: true });
  await played.write(2, 4);
  t.equal(played.refusal, constants.errno.ENOENT);
  t.match(played.series.error, { code: 'ERR_SINK_OPEN', errno: 'ENOENT' });
  t.match(await played.series.end(), { error: { code: 'ERR_SINK_OPEN' } });
});

t.test('a file that cannot be given its name is not told as finished, and where it is is said', async (t) => {
  const played = await Played.begin(t);
  mkdirSync(join(played.folder, 'x.pcap'));
  await played.write(1);
  t.same(played.finished, []);
  t.match(played.series.error, { code: 'ERR_SINK_WRITE', message: /cannot be given the name .*x\.pcap/ });
  t.match((await played.series.end()).file, /x\.pcap\.\d+-[0-9a-f]{12}\.partial$/);
});

t.test('a ring makes room by its oldest files', async (t) => {
  const played = await Played.begin(t, { ring: 5 });
  for (let number = 1; number <= 3; number++) await played.write(number);
  t.ok((await played.series.makeRoom(1)) >= 1);
  t.ok(existsSync(join(played.folder, 'x.pcap')), 'while there is room, all stay');
  t.ok((await played.series.makeRoom(2 ** 60)) < 2 ** 60, 'no disk has so much');
  t.same(
    played.names().filter((name) => !name.endsWith('.partial')),
    [],
  );
});

t.test('what is no ring keeps its files', async (t) => {
  const played = await Played.begin(t);
  await played.write(1);
  t.ok((await played.series.makeRoom(2 ** 60)) < 2 ** 60);
  t.equal(statSync(join(played.folder, 'x.pcap')).size, 4);
});
