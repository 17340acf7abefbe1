/** All functions of the addons, those for the DPDK that is installed here; and what uses them. */
import { agentLibrary } from '../../src/agent/library.js';
import * as compile from '../../src/filter/compile.js';
import { type Dpdk, type HostAddon, hostAddon, type PdumpAddon, pdumpAddons } from '../../src/native/addons.js';

export type Binding = HostAddon & PdumpAddon;

export function binding(): Binding {
  const found = pdumpAddons().find(({ addon }) => !(addon instanceof Error));
  if (!found) throw new Error('no DPDK is installed');
  return Object.assign({}, hostAddon(), found.addon) as Binding;
}

/** compileFilter() with these functions. */
export function compileFilter(
  options: compile.FilterOptions,
  tools: compile.FilterTools = { native: binding() },
): compile.FilterProgram | undefined {
  return compile.compileFilter(options, tools);
}

/** The release that is installed here. */
export function installedDpdk(): Dpdk {
  const { dpdkVersionNumber: number, dpdkVersion: text } = binding();
  return { number, text, libraries: [] };
}

/** The agent's library for that release. */
export function installedAgent(): string {
  return agentLibrary(installedDpdk());
}

/**
 * What all ways of running a program say: DPDK's interpreter, which pdump uses, our own for primaries that cannot load
 * it, and our compiler where there is one.
 */
export function allVerdicts(...args: Parameters<Binding['runInterpreter']>): Uint8Array[] {
  const native = binding();
  const compiled = process.arch === 'x64' ? [native.runCompiled(...args)] : [];
  return [native.runExtended(...args), native.runInterpreter(...args), ...compiled];
}
