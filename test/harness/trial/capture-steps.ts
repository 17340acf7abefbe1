/** What happens to captures in a trial: started, stopped, given up, killed, cleared up after. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../helpers/random.js';
import { engineOf, enginesOf, gone, killBoth } from '../engine.js';
import { type FaultPoint, faultAt, RECOVERY_POINTS, START_POINTS, STOP_POINTS } from '../fault.js';
import { isStopped } from '../stopped.js';
import { firstWords, hasStarted, launch, startRandomCapture } from './capture-options.js';
import { always, pickOf, type Step } from './step.js';
import type { Capture, World } from './world.js';

const MOST = 2;

const isRoom = (world: World): boolean => world.captures.size < MOST;
const isAny = (world: World): boolean => world.captures.size > 0;
const steady = (world: World): Capture[] => [...world.captures].filter(({ isSteady }) => isSteady);

/** Waits for its end. Resolves with how it ended. */
async function endOf(world: World, capture: Capture): Promise<string> {
  const captured = await world.ended(capture);
  const { code, signal } = captured;
  return `${capture.words}: ${code ?? signal} ${code === 0 ? '' : firstWords(captured)}`.trim();
}

async function interrupt(world: World, capture: Capture): Promise<string> {
  capture.running.process.signal('SIGINT');
  return endOf(world, capture);
}

/** Waits for the end of engines whose supervisor is gone. */
async function orphansGone(engines: number[]): Promise<void> {
  for (const engine of engines) await gone(engine);
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

/** Of what is done in pieces, some are done and some are not. */
function randomFault(points: readonly FaultPoint[], action: 'kill' | 'stop', random: Random) {
  const point = random.pick(points);
  const nth = point.endsWith('.piece') ? random.between(1, 5) : undefined;
  return { point: nth ? `${point}@${nth}` : point, env: faultAt(point, action, nth) };
}

/** Resolves with true when the engine of a capture stands at its point, with false when the capture goes on or has ended. */
async function standsStill(capture: Capture): Promise<boolean> {
  const { process } = capture.running;
  const stands = (): boolean => enginesOf(process.pid).some(isStopped);
  let isOver = false;
  void hasStarted(capture).finally(() => {
    isOver = true;
  });
  while (process.alive() && !isOver && !stands()) await delay(5);
  return process.alive() && stands();
}

/** Once, or twice at the same time. */
async function recover(world: World, random: Random): Promise<string> {
  const twice = random.chance(3);
  const all = await Promise.all(twice ? [world.recover(), world.recover()] : [world.recover()]);
  world.isRecoveryDue = false; // what a missing queue keeps from being cleared waits for the next that comes along
  return all.map(({ code, stdout, stderr }) => `${code} ${firstLine(stdout + stderr)}`).join(' | ');
}

/** Supervisor and engine at once: nobody is left to tidy up. */
async function killedTogether(world: World, capture: Capture): Promise<string> {
  const engines = enginesOf(capture.running.pid);
  killBoth(capture.running.pid);
  await orphansGone(engines);
  world.isRecoveryDue = true;
  return endOf(world, capture);
}

export const CAPTURE_STEPS: Step[] = [
  {
    name: 'capture starts',
    weight: 8,
    applies: isRoom,
    run: (world, random) => startRandomCapture(world, random),
  },
  {
    name: 'capture is stopped',
    weight: 4,
    applies: isAny,
    run: (world, random) => interrupt(world, pickOf(world.captures, random)),
  },
  {
    name: 'second Ctrl-C',
    weight: 4,
    applies: isAny,
    async run(world, random) {
      const capture = pickOf(world.captures, random);
      const apartMs = random.between(2000, 2200);
      capture.running.process.signal('SIGINT');
      await delay(apartMs);
      world.isRecoveryDue = true;
      return `${apartMs} ms apart, ${await interrupt(world, capture)}`;
    },
  },
  {
    name: 'running engine is killed',
    weight: 2,
    applies: (world) => steady(world).length > 0,
    async run(world, random) {
      const capture = random.pick(steady(world));
      capture.isKilled = true;
      for (const engine of enginesOf(capture.running.pid)) process.kill(engine, 'SIGKILL');
      return endOf(world, capture);
    },
  },
  {
    name: 'supervisor is killed',
    weight: 2,
    applies: isAny,
    async run(world, random) {
      const capture = pickOf(world.captures, random);
      const engines = enginesOf(capture.running.pid);
      capture.running.process.signal('SIGKILL');
      await orphansGone(engines);
      return endOf(world, capture);
    },
  },
  {
    name: 'both are killed',
    weight: 3,
    applies: (world) => steady(world).length > 0,
    async run(world, random) {
      const capture = random.pick(steady(world));
      capture.isKilled = true;
      return killedTogether(world, capture);
    },
  },
  {
    name: 'engine dies in its start',
    weight: 4,
    applies: isRoom,
    async run(world, random) {
      const { point, env } = randomFault(START_POINTS, 'kill', random);
      const capture = launch(world, random, env);
      capture.isKilled = true;
      if (await hasStarted(capture)) return `${point}, not passed by ${await interrupt(world, capture)}`;
      return `${point}, ${await endOf(world, capture)}`;
    },
  },
  {
    name: 'engine dies in its end',
    weight: 4,
    applies: isRoom,
    async run(world, random) {
      const { point, env } = randomFault(STOP_POINTS, 'kill', random);
      const capture = launch(world, random, env);
      capture.isKilled = true;
      if (!(await hasStarted(capture))) return `${point}, ${await endOf(world, capture)}`;
      return `${point}, ${await interrupt(world, capture)}`;
    },
  },
  {
    name: 'both die in its start',
    weight: 3,
    applies: isRoom,
    async run(world, random) {
      const { point, env } = randomFault(START_POINTS, 'stop', random);
      const capture = launch(world, random, env);
      capture.isKilled = true;
      if (!(await standsStill(capture))) return `${point}, not passed by ${await interrupt(world, capture)}`;
      return `${point}, ${await killedTogether(world, capture)}`;
    },
  },
  { name: 'recover', weight: 3, applies: always, run: recover },
  // Until then most captures are refused.
  { name: 'recover what is left', weight: 30, applies: (world) => world.isRecoveryDue, run: recover },
  {
    name: 'recovery dies',
    weight: 3,
    applies: (world) => world.isRecoveryDue,
    async run(world, random) {
      const { point, env } = randomFault(RECOVERY_POINTS, 'kill', random);
      const { code, stdout, stderr } = await world.recover(env);
      return `${point}, ${code} ${firstLine(stdout + stderr)}`;
    },
  },
];

/** Kills of an engine at any moment of its start or end, also inside of EAL, where a lock may stay held. */
export const OUTSIDE_KILL: Step = {
  name: 'engine is killed at any moment',
  weight: 6,
  applies: isRoom,
  async run(world, random) {
    const [atStart, ms] = [random.chance(2), random.between(0, 600)];
    const capture = launch(world, random);
    capture.isKilled = true;
    if (atStart) await engineOf(capture.running.pid);
    else if (await hasStarted(capture)) capture.running.process.signal('SIGINT');
    await delay(ms);
    for (const engine of enginesOf(capture.running.pid)) process.kill(engine, 'SIGKILL');
    if (!atStart || !(await hasStarted(capture))) return `${ms} ms after ${await endOf(world, capture)}`;
    return `${ms} ms after it started: ${await interrupt(world, capture)}`;
  },
};
