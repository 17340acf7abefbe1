/** Chooses the controller that a host offers. Only this file knows all controllers. */
import { DpcapError } from '../errors.js';
import { PlanController, type PlanSettings } from './by-hand/controller.js';
import type { MirrorController } from './controller.js';
import { VfdController, type VfdSettings } from './vfd/controller.js';
import { locateVfd, type VfdOptions } from './vfd/locate.js';

export const VIA = ['vfd', 'plan'] as const;
export type Via = (typeof VIA)[number];

export type ControllerOptions = VfdOptions & PlanSettings & { via?: Via | undefined; settings?: VfdSettings };

/**
 * Returns the controller that was asked for; else VFd's where there is a sign of VFd; else the plan.
 * @throws DpcapError when VFd's configuration cannot be read
 */
export function chooseController(options: ControllerOptions): MirrorController {
  if (options.via === 'plan') return new PlanController(options);
  const place = locateVfd(options);
  const isVfd = options.via === 'vfd' || options.fifo !== undefined || place.exists || place.config !== undefined;
  return isVfd ? new VfdController(place, options.settings) : new PlanController(options);
}

/** Refuses the plan for what it cannot do: temporary mirrors. */
export function requireChanging(controller: MirrorController): void {
  if (controller.kind !== 'plan') return;
  throw new DpcapError('ERR_MIRROR_ABSENT', 'nobody here can set a mirror: VFd was not found', {
    hint: 'start VFd, or name its request FIFO with --fifo; dpcap mirror plan prints commands instead',
  });
}
