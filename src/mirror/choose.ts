/**
 * Chooses the controller that a host offers. Only this file knows all controllers: those of VFs, and the agent, which
 * mirrors ports.
 */
import { DpcapError, UsageError } from '../errors.js';
import { mirroringApplication } from './agent/application.js';
import { AgentController } from './agent/controller.js';
import { PlanController, type PlanSettings } from './by-hand/controller.js';
import type { MirrorController } from './controller.js';
import { VfdController, type VfdSettings } from './vfd/controller.js';
import { locateVfd, type VfdOptions } from './vfd/locate.js';

export const VIA = ['vfd', 'agent', 'plan'] as const;
export type Via = (typeof VIA)[number];

export type ControllerOptions = VfdOptions & PlanSettings & { via?: Via | undefined; settings?: VfdSettings };

/** What is named as the source of a mirror. */
export type Subject = 'port' | 'vf' | 'nothing';

/**
 * Whether a mirror is one of ports, which agents carry out, or of VFs: by what is named, else by the way that is.
 * @throws UsageError when both do not fit
 */
export function isAboutPorts(subject: Subject, via: Via | undefined): boolean {
  if (subject === 'nothing') return via === 'agent';
  if (via === undefined || (via === 'agent') === (subject === 'port')) return subject === 'port';
  throw new UsageError(`--via ${via} mirrors ${via === 'agent' ? 'ports, not VFs' : 'VFs, not ports'}`, {
    subject: via,
    hint: via === 'agent' ? 'name ports: -i and --to-port' : 'name VFs: --vf and --target; or leave --via away',
  });
}

/**
 * The controller of ports: the agent of the application that is meant.
 * @throws DpcapError as mirroringApplication()
 */
export function chooseAgent(filePrefix: string | undefined): AgentController {
  return new AgentController(mirroringApplication(filePrefix));
}

/** Whether there is a sign of VFd, or VFd is named. @throws DpcapError when its configuration cannot be read */
export function hasVfd(options: ControllerOptions): boolean {
  const place = locateVfd(options);
  return options.via === 'vfd' || options.fifo !== undefined || place.exists || place.config !== undefined;
}

/**
 * Returns the controller of VFs that was asked for; else VFd's where there is a sign of VFd; else the plan.
 * @throws DpcapError when VFd's configuration cannot be read
 */
export function chooseController(options: ControllerOptions): MirrorController {
  if (options.via === 'plan') return new PlanController(options);
  return hasVfd(options) ? new VfdController(locateVfd(options), options.settings) : new PlanController(options);
}

/** Refuses the plan for what it cannot do: temporary mirrors. */
export function requireChanging(controller: MirrorController): void {
  if (controller.kind !== 'plan') return;
  throw new DpcapError('ERR_MIRROR_ABSENT', 'nobody here can set a mirror: VFd was not found', {
    hint: 'start VFd, or name its request FIFO with --fifo; dpcap mirror plan prints commands instead',
  });
}
