/** `dpcap doctor` says why dpcap does not work here. It makes every check a person would make, each with its remedy. */

import { type Check, exitCodeOf, formatChecks } from '../../doctor/check.js';
import { type DoctorView, gatherView } from '../../doctor/gather.js';
import { hostChecks } from '../../doctor/host-checks.js';
import { primaryChecks } from '../../doctor/primary-checks.js';
import { recorderChecks } from '../../doctor/recorder-checks.js';
import { checkPrefix } from '../../primary/runtime-dir.js';
import type { RegisterCommand } from '../command.js';
import { addLibrariesOption } from '../libraries-option.js';

export const registerDoctor: RegisterCommand = (program, context) => {
  addLibrariesOption(program.command('doctor'))
    .description('Check this machine and its primaries, and name a remedy for each finding.')
    .option('--file-prefix <prefix>', 'Look at this primary only. Default: all.')
    .option('--json', 'Print one JSON document.')
    .action((options: { filePrefix?: string; json?: boolean }) => {
      if (options.filePrefix !== undefined) checkPrefix(options.filePrefix);
      const checks = examine(gatherView({ filePrefix: options.filePrefix }));
      process.stdout.write(`${options.json ? JSON.stringify({ checks }) : formatChecks(checks)}\n`);
      context.exitCode = exitCodeOf(checks);
    });
};

/** Returns all findings. Pure. */
export function examine(view: DoctorView): Check[] {
  return [...hostChecks(view), ...primaryChecks(view), ...recorderChecks(view.boxes, view.badBoxes)];
}
