/**
 * Tries commands of tc and ip where they change nothing: in a network namespace of their own, which is gone with its
 * last process. It shows whether this kernel and these tools take them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { PlanStep } from '../controller.js';

/** How a check went, as a note beside the commands. */
export type Verdict = string;

const TRIAL_MS = 10_000;

/** The exit code when what the commands are about could not be made, which says nothing about them. */
const NO_TRIAL = 99;

/**
 * Runs the commands of a step, those that end it as well, in a namespace that has these two interfaces.
 * @returns what the kernel says to them; or why it could not be tried
 */
export function tryStep({ commands }: PlanStep, devices?: readonly [string, string]): Verdict {
  const setUp = devices ? [`{ ip link add ${devices[0]} type veth peer name ${devices[1]} || exit ${NO_TRIAL}; }`] : [];
  const script = [...setUp, ...commands].map((line) => line.replace(/\s+#.*$/, '')).join(' && ');
  const { status, stderr, error } = spawnSync('unshare', ['--net', 'sh', '-c', script], {
    encoding: 'utf8',
    timeout: TRIAL_MS,
  });
  if (error) return `not checked: ${error.message}`;
  if (status === 0) return 'checked in an empty network namespace of this host: its kernel and tools take them';
  const [first = ''] = stderr.trim().split('\n');
  if (status === NO_TRIAL || first.startsWith('unshare:')) return `not checked: ${first}`;
  return `checked in an empty network namespace of this host, and REFUSED: ${first}`;
}

/** Whether interfaces are there. */
export function checkDevices(names: readonly string[], sysfs = '/sys'): Verdict[] {
  return names.map((name) =>
    existsSync(`${sysfs}/class/net/${name}`) ? `${name} is there` : `${name} is NOT there on this host`,
  );
}
