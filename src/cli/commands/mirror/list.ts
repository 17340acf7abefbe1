/** `dpcap mirror list`, `status` and `capabilities`: what is mirrored, and what can be, in all the ways that this host offers. */
import { DpcapError, UsageError } from '../../../errors.js';
import { chooseController, hasVfd } from '../../../mirror/choose.js';
import type { MirrorController, VfStatus } from '../../../mirror/controller.js';
import { capabilityLines, mirrorLine, statusLines } from '../../../mirror/describe.js';
import { parseSource } from '../../../mirror/target-spec.js';
import { controllerFor, controllerOptions, meansPorts, print, type RawMirrorOptions, viaOf } from './options.js';
import { agentControllers, listPortMirrors, portCapabilities, type Report } from './port-list.js';

/** How much is said of each mirror: that it is there, or its counters as well. Documents have all of it. */
type Detail = 'list' | 'status';

/** Lists mirrors of ports and of VFs, or those that are meant, each in a line. @throws UsageError, DpcapError */
export async function listMirrors(raw: RawMirrorOptions): Promise<void> {
  await report(raw, 'list');
}

/**
 * Tells of the same ones what became of the packets, and of those that have ended by themselves why.
 * @throws UsageError; DpcapError ERR_MIRROR_ABSENT when the one that is meant is not there
 */
export async function showStatus(raw: RawMirrorOptions): Promise<void> {
  await report(raw, 'status');
}

async function report(raw: RawMirrorOptions, detail: Detail): Promise<void> {
  const isAboutPorts = meansPorts(raw);
  if (raw.vf !== undefined) return reportVf(raw, raw.vf, detail);
  if (raw.pf !== undefined) throw new UsageError('--pf without --vf', { hint: 'add --vf, or leave --pf out' });
  const agents = viaOf(raw) === undefined || isAboutPorts ? agentControllers(raw.filePrefix) : [];
  const ports = listPortMirrors(agents, raw);
  if (detail === 'status' && raw.id !== undefined && ports.length === 0) throw absent(raw.id);
  // Without a sign of VFd there is nobody else to ask; with neither, it is said who could be there.
  const isAboutVfs = !isAboutPorts && (agents.length === 0 || hasVfd(controllerOptions(raw)));
  const vfs = isAboutVfs ? await vfReports(controllerFor(raw), detail) : [];
  const lines = [...ports, ...vfs].flatMap(({ lines }) => (detail === 'list' ? lines.slice(0, 1) : lines));
  const [mirrors, documents] = [vfs, ports].map((reports) => reports.flatMap((one) => one.documents));
  print(raw, { mirrors, ports: documents }, lines.length > 0 ? lines : ['no mirror is on']);
}

async function vfReports(controller: MirrorController, detail: Detail): Promise<Report[]> {
  const mirrors = await controller.list();
  if (detail === 'list') return mirrors.map((one) => ({ lines: [mirrorLine(one)], documents: [{ ...one }] }));
  const reports: Report[] = [];
  for (const { pf, vf } of mirrors) {
    const asked = { pf: { kind: 'number', number: pf }, vf: { kind: 'number', number: vf } } as const;
    reports.push(vfReport(await controller.status(asked)));
  }
  return reports;
}

function vfReport({ source, mirror }: VfStatus): Report {
  return { lines: statusLines(source, mirror), documents: [{ ...source, mirror: mirror ?? null }] };
}

async function reportVf(raw: RawMirrorOptions, vf: string, detail: Detail): Promise<void> {
  const { lines, documents } = vfReport(await controllerFor(raw).status(parseSource(raw.pf, vf)));
  print(raw, documents[0], detail === 'list' ? lines.slice(0, 1) : lines);
}

function absent(id: string): DpcapError {
  return new DpcapError('ERR_MIRROR_ABSENT', `there is no mirror ${id}`, {
    subject: id,
    hint: '`dpcap mirror list` shows those that there are; one that was cleared is not kept',
  });
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
