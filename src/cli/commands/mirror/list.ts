/** `dpcap mirror list` and `capabilities`: what is mirrored, and what can be, in all the ways that this host offers. */
import { UsageError } from '../../../errors.js';
import { chooseController, hasVfd } from '../../../mirror/choose.js';
import { capabilityLines, mirrorLine, statusLines } from '../../../mirror/describe.js';
import { parseSource } from '../../../mirror/target-spec.js';
import { controllerFor, controllerOptions, meansPorts, print, type RawMirrorOptions, viaOf } from './options.js';
import { agentControllers, listPortMirrors, portCapabilities } from './port-list.js';

/** Lists mirrors of ports and of VFs, or those that are meant. */
export async function listMirrors(raw: RawMirrorOptions): Promise<void> {
  const isAboutPorts = meansPorts(raw);
  if (raw.vf !== undefined) return showVf(raw, raw.vf);
  if (raw.pf !== undefined) throw new UsageError('--pf without --vf', { hint: 'add --vf, or leave --pf out' });
  const agents = viaOf(raw) === undefined || isAboutPorts ? agentControllers(raw.filePrefix) : [];
  const ports = listPortMirrors(agents, raw);
  // Without a sign of VFd there is nobody else to ask; with neither, it is said who could be there.
  const isAboutVfs = !isAboutPorts && (agents.length === 0 || hasVfd(controllerOptions(raw)));
  const mirrors = isAboutVfs ? await controllerFor(raw).list() : [];
  const lines = [...ports.lines, ...mirrors.map(mirrorLine)];
  print(raw, { mirrors, ports: ports.documents }, lines.length > 0 ? lines : ['no mirror is on']);
}

async function showVf(raw: RawMirrorOptions, vf: string): Promise<void> {
  const { source, mirror } = await controllerFor(raw).status(parseSource(raw.pf, vf));
  print(raw, { ...source, mirror: mirror ?? null }, statusLines(source, mirror));
}

/** Tells which way is taken for what, and why, and what each way can do. */
export async function showCapabilities(raw: RawMirrorOptions): Promise<void> {
  const options = controllerOptions(raw);
  const agents = agentControllers(raw.filePrefix);
  const ports = portCapabilities(agents);
  const choice = [
    `ports: ${agents.length > 0 ? 'through the agent, which answers' : 'nobody: no application has an agent that can mirror (`dpcap agent path`)'}`,
    `VFs: ${vfChoice(raw, hasVfd(options))}`,
  ];
  if (viaOf(raw) === 'agent') return print(raw, { choice, applications: ports.documents }, [...choice, ...ports.lines]);
  const found = await chooseController(options).capabilities();
  const document = { ...found, choice, applications: ports.documents };
  print(raw, document, [...choice, ...ports.lines, ...capabilityLines(found)]);
}

function vfChoice(raw: RawMirrorOptions, isVfd: boolean): string {
  if (raw.via === 'vfd' || raw.via === 'plan') return `by ${raw.via}, as was asked for`;
  return isVfd
    ? 'through VFd, of which there is a FIFO or a configuration'
    : 'commands to enter by hand: there is no sign of VFd (--fifo, --config)';
}
