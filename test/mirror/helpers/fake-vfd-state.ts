/** What VFd knows and does (vfd.md 5-7), traps included, without its FIFOs. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { scanJson, toValue } from '../../../src/mirror/vfd/config/lenient-json.js';

export type NicKind = 'plain' | 'ixgbe' | 'i40e' | 'mlx5' | 'bnxt';

export interface FakePf {
  pci: string;
  loopback: boolean;
  nic: NicKind;
}

interface FakeVf {
  pf: number;
  vf: number;
  name: string;
  file: string;
}

interface FakeMirror {
  id: number;
  direction: string;
  target: number;
}

export interface Received {
  text: string;
  action: string;
  params: Record<string, unknown>;
  /** `pf/vf` of what was on when it came. */
  on: string[];
}

/** Hardware rules of a PF. */
const RULES = { plain: 256, ixgbe: 4, i40e: 64, mlx5: 256, bnxt: 0 };

export class FakeVfdState {
  readonly dir: string;
  readonly fifo: string;
  readonly cfg: string;
  readonly configDir: string;
  readonly liveDir: string;
  readonly logDir: string;
  readonly pfs: FakePf[];
  /** By `pf/vf`. What the daemon lists. */
  readonly mirrors = new Map<string, FakeMirror>();
  /** By `pf/vf`. What the NIC does. */
  readonly nic = new Map<string, { direction: string; target: number }>();
  readonly vfs = new Map<string, FakeVf>();
  /** Requests from which the daemon would have died. */
  crashes = 0;
  noHarm = false;
  logLevel = 1;
  deleteKeep = false;
  /** The NIC refuses to end mirrors. The daemon has taken them off its list by then. */
  nicKeepsMirrors = false;
  /** VFs whose deletion the NIC does not take: done, and never answered. */
  readonly stubborn = new Set<string>();
  #nextId = 0;

  constructor(dir: string, pfs: FakePf[] = [{ pci: '0000:08:00.0', loopback: true, nic: 'plain' }]) {
    this.dir = dir;
    this.pfs = pfs;
    this.fifo = join(dir, 'request');
    this.cfg = join(dir, 'vfd.cfg');
    this.configDir = join(dir, 'config');
    this.liveDir = join(dir, 'config_live');
    this.logDir = join(dir, 'log');
    for (const path of [this.configDir, this.liveDir, this.logDir]) mkdirSync(path, { recursive: true });
    const pciids = pfs.map(({ pci, loopback }) => `{ "id": "${pci}", "enable_loopback": ${loopback}, }`);
    const paths = `"fifo": "${this.fifo}", "config_dir": "${this.configDir}", "log_dir": "${this.logDir}"`;
    writeFileSync(this.cfg, `{ ${paths},\n  "pciids": [ ${pciids.join(', ')}, ] }\n`);
  }

  /** Puts a VF under management, with a configuration in force; returns its text. */
  manage(pf: number, vf: number, name: string, extra = ''): string {
    const head = `"name": "${name}",\n  "pciid": "${this.pfs[pf]?.pci}", "vfid": ${vf},\n  "vlans": [ ${vf + 10} ],${extra}`;
    const text = `{\n  ${head}\n  "queues": [ { "priority": 0, "share": "10%" }, ],\n}\n`;
    writeFileSync(join(this.liveDir, `${name}.json`), text);
    this.vfs.set(`${pf}/${vf}`, { pf, vf, name, file: `${name}.json` });
    return text;
  }

  /** What is on, as `pf/vf direction target`, from the daemon's table. */
  listed(): string[] {
    return [...this.mirrors].map(([key, { direction, target }]) => `${key} ${direction} ${target}`).sort();
  }

  /** The same from the NIC. */
  mirrored(): string[] {
    return [...this.nic].map(([key, { direction, target }]) => `${key} ${direction} ${target}`).sort();
  }

  /** By the first letter, as the daemon. An undefined state: never answered. */
  protected carryOut({ action, params }: Received): [string | undefined, string[]] {
    const name = (params.filename ?? params.resource) as string | undefined;
    if (action === 'dump') return ['OK', ['dump captured in the log']];
    switch (action[0]?.toLowerCase()) {
      case 'p':
        return ['OK', ['pong: v2.0.1    build: Jan  1 2021 00:00:00']];
      case 's':
        return this.#show(String(params.resource));
      case 'm':
        return this.noHarm ? [undefined, []] : this.#mirror(String(params.resource));
      case 'a':
      case 'd':
        if (name === undefined) return this.#crash();
        return action[0] === 'a' ? this.#add(name) : this.#delete(name);
      case 'v':
        return ['OK', [`verbose level changed to: ${params.loglevel}`]];
      default:
        return ['ERROR', ['urrecognised request.']];
    }
  }

  #crash(): [undefined, string[]] {
    this.crashes++;
    return [undefined, []];
  }

  #show(what: string): [string, string[]] {
    if (this.noHarm) return ['ERROR', ["VFD running in 'no harm' (-n) mode; no stats available."]];
    if (what.startsWith('mirror')) return ['OK', this.mirrorLines()];
    if (what.startsWith('ex')) return ['OK', this.pfs.flatMap((_, i) => [`port ${i}:`, 'rx_size_64_packets: 0'])];
    return ['OK', this.statsLines(what === 'pfs')];
  }

  mirrorLines(): string[] {
    const lines: string[] = [];
    for (const [pf] of this.pfs.entries()) {
      const mine = [...this.mirrors]
        .filter(([key]) => key.startsWith(`${pf}/`))
        .sort(([a], [b]) => number(a) - number(b));
      lines.push(`port ${pf} has ${mine.length} mirrors:`);
      for (const [key, { direction, target }] of mine)
        lines.push(`  vf ${number(key)} (${direction}) ==> vf ${target}`);
    }
    let total = 0;
    const kept = lines.filter((line) => {
      total += line.length + 1;
      return total < 4096;
    });
    return kept.length === lines.length ? lines : [...kept, '<truncated>'];
  }

  /** printf formats of the daemon's source. */
  statsLines(pfsOnly: boolean): string[] {
    const names = [
      'Link',
      'Speed',
      'Duplex',
      'RX pkts',
      'RX bytes',
      'RX errors',
      'RX dropped',
      'TX pkts',
      'TX bytes',
      'TX errors',
      'Spoofed',
    ];
    const widths = [6, 7, 6, 15, 15, 15, 15, 15, 15, 15, 15];
    const lines = [`PF/VF  ID           PCIID ${names.map((name, i) => name.padStart(widths[i] as number)).join(' ')}`];
    for (const [pf, { pci }] of this.pfs.entries()) {
      const numbers = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => String(n).padStart(15)).join(' ');
      lines.push(
        `pf   ${String(pf).padStart(4)}    ${pci.toUpperCase()}   UP    ${'10000'.padStart(6)} ${'1'.padStart(6)} ${numbers}`,
      );
      if (pfsOnly) continue;
      const mine = [...this.vfs.values()].filter((vf) => vf.pf === pf).sort((a, b) => a.vf - b.vf);
      for (const { vf } of mine) {
        lines.push(
          `vf ${String(vf).padStart(6)}    ${vfPci(pf, vf).toUpperCase()}   UP   ${'9'.padStart(30)} ${numbers.slice(16)}`,
        );
      }
    }
    return lines;
  }

  /** The run-time command, as it really is: any other word means off, and the table changes before the NIC is asked. */
  #mirror(resource: string): [string, string[]] {
    const failed = (reason: string): [string, string[]] => ['ERROR', [`mirror update failed: ${resource}: ${reason}`]];
    const [pf, vf, word, to] = resource.split(' ');
    if (word === undefined) return failed('invalid request string');
    const key = `${Number(pf)}/${Number(vf)}`;
    if (!this.vfs.has(key)) return failed('vf/pf combination not currently managed');
    const direction =
      word[0] === 'i' ? 'in' : word === 'out' ? 'out' : word === 'on' || word[0] === 'a' ? 'all' : 'off';
    if (direction === 'off') return this.#off(resource, key, failed);
    if (to === undefined) return failed('target VF number not supplied');
    const target = Number.parseInt(to, 10) || 0;
    if (target < 0 || target > 253) return failed('target VF number is out of range');
    const id = this.mirrors.get(key)?.id ?? this.#nextId++;
    this.mirrors.set(key, { id, direction, target });
    if (!this.#program(key, { id, direction, target })) return failed('unable to update nic with mirror request');
    return ['OK', [`mirror update successful: ${resource}`]];
  }

  #off(resource: string, key: string, failed: (reason: string) => [string, string[]]): [string, string[]] {
    this.mirrors.delete(key);
    if (this.nicKeepsMirrors || !this.nic.delete(key)) return failed('unable to update nic with mirror request');
    return ['OK', [`mirror update successful: ${resource}`]];
  }

  /** Whether the NIC takes it. */
  #program(key: string, { id, direction, target }: FakeMirror): boolean {
    const nic = this.pfs[Number(key.split('/')[0])]?.nic ?? 'plain';
    const isRefused = id >= RULES[nic] || (nic === 'i40e' && direction === 'all');
    this.log(
      isRefused
        ? `WRN: set mirror for pf/vf=${key} mid=${id} target=${target} dir=2 on/off=1 failed: -22 (Invalid argument)`
        : `set mirror for pf/vf=${key} target=${target} dir=2 on/off=1 ok`,
      isRefused ? 0 : 1,
    );
    if (isRefused) return false;
    this.nic.set(key, { direction, target });
    return true;
  }

  log(line: string, level: number): void {
    if (level > this.logLevel) return;
    writeFileSync(join(this.logDir, 'vfd.log.20260101'), `1 2026/01/01 00:00:00Z [${level}] ${line}\n`, { flag: 'a' });
  }

  #add(filename: string): [string, string[]] {
    const path = filename.includes('/') ? filename : join(this.configDir, filename);
    const reason = this.#addConfig(path);
    if (reason === undefined) return ['OK', [`vf added successfully: ${path}`]];
    if (existsSync(path)) renameSync(path, `${path}.error`);
    return ['ERROR', [`unable to add vf: ${path}: ${reason}`]];
  }

  #addConfig(path: string): string | undefined {
    try {
      const config = toValue(scanJson(readFileSync(path, 'latin1'))) as Record<string, unknown>;
      const pf = this.pfs.findIndex(({ pci }) => pci === config.pciid);
      const key = `${pf}/${config.vfid}`;
      if (pf < 0 || typeof config.vfid !== 'number' || this.vfs.has(key))
        return `vfid already exists or is bad: ${key}`;
      const mirror = config.mirror as { target?: unknown; direction?: unknown } | undefined;
      const target = typeof mirror?.target === 'number' ? mirror.target : mirror ? 0 : -1;
      if (mirror && (target === config.vfid || target > 31))
        return `mirror target is out of range or is the same as this VF (${config.vfid})`;
      const file = basename(path);
      renameSync(path, join(this.liveDir, file));
      this.vfs.set(key, { pf, vf: config.vfid, name: String(config.name), file });
      if (mirror && target >= 0) this.#mirrorFromConfig(key, target, String(mirror.direction ?? 'all'));
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  #mirrorFromConfig(key: string, target: number, word: string): void {
    const direction = word[0] === 'i' ? 'in' : word === 'out' ? 'out' : word[0] === 'o' ? 'off' : 'all';
    if (direction === 'off') return;
    const mirror = { id: this.#nextId++, direction, target };
    this.mirrors.set(key, mirror);
    this.#program(key, mirror);
  }

  #delete(filename: string): [string | undefined, string[]] {
    const path = filename.includes('/') ? filename : join(this.liveDir, filename);
    const found = [...this.vfs].find(([, { file }]) => file === basename(path));
    if (!found || !existsSync(path)) return ['ERROR', [`unable to delete internal config for vf: ${path}: not found`]];
    const { name } = toValue(scanJson(readFileSync(path, 'latin1'))) as { name?: string };
    if (name !== found[1].name) return ['ERROR', [`unable to delete internal config for vf: ${path}: name mismatch`]];
    if (this.deleteKeep) renameSync(path, join(this.configDir, `${basename(path)}-`));
    else rmSync(path);
    this.vfs.delete(found[0]);
    this.nic.delete(found[0]);
    const mirror = this.mirrors.get(found[0]);
    if (mirror && mirror.id === this.#nextId - 1) this.#nextId--; // delete returns the id, off does not
    this.mirrors.delete(found[0]);
    if (this.stubborn.has(found[0])) return [undefined, []];
    return ['OK', [`vf deleted successfully: ${path}`]];
  }
}

function number(key: string): number {
  return Number(key.split('/')[1]);
}

/** As the kernel numbers them: offset 128, stride 2. */
export function vfPci(pf: number, vf: number): string {
  const ari = 8 * 256 + pf + 128 + vf * 2;
  const hex = (n: number): string => n.toString(16).padStart(2, '0');
  return `0000:${hex(ari >> 8)}:${hex((ari >> 3) & 31)}.${ari & 7}`;
}
