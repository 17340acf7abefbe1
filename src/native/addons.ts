/**
 * Loads the native addons and types them; no other file loads one. One needs no library of DPDK. The others capture,
 * each with the libraries of some releases (releases.ts), and are loaded when a primary of such a release is met.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { DpcapError } from '../errors.js';
import { projectFile } from '../system/location.js';
import { isMissingLibrary, loadHint } from './addon-hint.js';
import type { AgentBinding } from './agent-binding.js';
import type { CaptureBinding, NativePlan } from './capture-binding.js';
import { nativeError } from './errors.js';
import type { ExtendedBinding, FilterBinding } from './filter-binding.js';
import type { FlowBinding } from './flow-binding.js';
import type { HostBinding, Layouts, LifeBinding, UserBinding } from './host-binding.js';
import type { InjectBinding } from './inject-binding.js';
import type { InterfaceBinding } from './interface-binding.js';
import type { MirrorBinding } from './mirror-binding.js';
import type { PrimaryBinding } from './primary-binding.js';
import type { ReaderBinding } from './reader-binding.js';
import type { RecorderBinding } from './recorder-binding.js';
import { lineOf, RELEASE_LINES, type ReleaseLine } from './releases.js';

/** The addon without DPDK: it looks at primaries from outside, compiles filters, opens interfaces, talks to agents, injects them, reads files. */
export interface HostAddon
  extends HostBinding,
    FilterBinding,
    InterfaceBinding,
    AgentBinding,
    InjectBinding,
    MirrorBinding,
    FlowBinding,
    RecorderBinding,
    ReaderBinding,
    CaptureBinding,
    LifeBinding,
    UserBinding,
    Layouts {}

/** The addon for the releases of one line: it joins primaries and captures. */
export interface PdumpAddon extends PrimaryBinding, CaptureBinding, ExtendedBinding, LifeBinding, Layouts {
  /** The release of the libraries that were found, e.g. "22.11.11", and its RTE_VERSION. */
  readonly dpdkVersion: string;
  readonly dpdkVersionNumber: number;
  /** RTE_VERSION of the headers that the addon was built with. */
  readonly dpdkBuildNumber: number;
}

/** The addon that captures by probes of the kernel's. It needs libbpf. */
export interface EbpfAddon extends CaptureBinding, LifeBinding {
  /**
   * What the probes of a capture cost a thread of an application at each poll that gives nothing, measured here on functions
   * that begin as its own do, in ns. Takes some milliseconds. Throws ERR_PERMISSION, ERR_NO_MEMORY, ERR_ENABLE_FAILED with the kernel's words.
   */
  pollCost(target: Pick<NonNullable<NativePlan['ebpf']>, 'processes' | 'layout'>): number;
  /**
   * Loads a filter that was translated for the kernel, and runs it there on packets. Returns for each what it says:
   * VERDICT of src/filter/codegen/kernel.ts. `tags` as for runExtended. Throws ERR_FILTER_UNSUPPORTED with the verifier's
   * words, ERR_PERMISSION.
   */
  runInKernel(program: Uint8Array, packets: Uint8Array[], tags?: Uint32Array): Uint8Array;
}

/** A release by its RTE_VERSION and its text. */
export interface Release {
  number: number;
  text: string;
}

/** A primary's release, and where its libraries are: empty for those that the loader finds. */
export interface Dpdk extends Release {
  libraries: string[];
  /** It is joined without the drivers that are installed: it is linked with few of them. Found out by trying. */
  isLean?: boolean | undefined;
}

const require = createRequire(import.meta.url);
/** The file of the addon that captures by probes: it is not there where dpcap was built without clang or libbpf. */
export const EBPF_ADDON = 'dpcap_ebpf.node';

let hostLoaded: HostAddon | undefined;
let ebpfLoaded: EbpfAddon | undefined;
const pdumpLoaded = new Map<number, PdumpAddon>();

/**
 * Returns the addon without DPDK, which is loaded on first use (`--help` and `completion` work without it).
 * @throws DpcapError ERR_ADDON_LOAD when it was not built
 */
export function hostAddon(): HostAddon {
  hostLoaded ??= load<HostAddon>('dpcap_host.node');
  return hostLoaded;
}

/**
 * Returns the addon that captures by probes.
 * @throws DpcapError ERR_ADDON_LOAD when it was not built, or libbpf is not there
 */
export function ebpfAddon(): EbpfAddon {
  ebpfLoaded ??= load<EbpfAddon>(EBPF_ADDON);
  return ebpfLoaded;
}

/**
 * Returns the addon for primaries of a release.
 * @throws DpcapError ERR_VERSION_MISMATCH when dpcap does not know the release or has no addon for it, or the libraries'
 *   build has other layouts; ERR_ADDON_LOAD when a library of DPDK is not there
 */
export function pdumpAddon(release: Release): PdumpAddon {
  const line = lineOf(release.number);
  if (line) return addonOf(line, release.text);
  const known = RELEASE_LINES.map(({ name }) => name).join(', ');
  const isNewer = release.number > (RELEASE_LINES.at(-1)?.from ?? 0);
  const message = `DPDK ${release.text}, which it runs, is not known to this dpcap, which knows ${known}`;
  throw new DpcapError('ERR_VERSION_MISMATCH', message, {
    subject: release.text,
    hint: `${isNewer ? 'install a later dpcap, or ' : ''}restart the application with one of those releases`,
  });
}

/**
 * Returns the addon for a primary, with these libraries.
 * @throws DpcapError as pdumpAddon(), and ERR_VERSION_MISMATCH when the libraries are of another release
 */
export function joiningAddon(dpdk: Dpdk): PdumpAddon {
  if (dpdk.libraries.length > 0) loadLibraries(dpdk);
  const addon = pdumpAddon(dpdk);
  if (addon.dpdkVersionNumber === dpdk.number) return addon;
  const message = `the primary runs DPDK ${dpdk.text}, the libraries here are ${addon.dpdkVersion}`;
  throw new DpcapError('ERR_VERSION_MISMATCH', message, {
    subject: dpdk.text,
    hint: `install the libraries of DPDK ${dpdk.text}, or restart the application with ${addon.dpdkVersion}`,
  });
}

/** The loader's words are about files: whose they are, and of which release, is known here. */
function loadLibraries({ libraries, text }: Dpdk): void {
  try {
    hostAddon().loadLibraries(libraries);
  } catch (thrown) {
    const error = nativeError(thrown);
    if (error.code !== 'ERR_ADDON_LOAD') throw error;
    const message = `it runs DPDK ${text}, whose libraries do not fit this system: ${error.message}`;
    throw new DpcapError(error.code, `cannot join the primary: ${message}`, error);
  }
}

/** The addons that can be loaded here, newest release first, and why the others cannot. */
export function pdumpAddons(): { line: ReleaseLine; addon: PdumpAddon | DpcapError }[] {
  return [...RELEASE_LINES].reverse().map((line) => {
    try {
      return { line, addon: addonOf(line, line.name) };
    } catch (error) {
      return { line, addon: error as DpcapError };
    }
  });
}

function addonOf({ abi, name }: ReleaseLine, release: string): PdumpAddon {
  const loaded = pdumpLoaded.get(abi);
  if (loaded) return loaded;
  const file = `dpcap_pdump.dpdk${abi}.node`;
  if (!findBuilt(file)) {
    throw new DpcapError('ERR_VERSION_MISMATCH', `DPDK ${release} needs the addon for ${name}, and ${addonsHere()}`, {
      subject: file,
      errno: 'ENOENT',
      hint: `install a package of dpcap that has ${file}, or build it against that release: npm run build:native`,
    });
  }
  const addon = load<PdumpAddon>(file);
  refuseOtherLayouts(addon, hostAddon());
  pdumpLoaded.set(abi, addon);
  return addon;
}

function addonsHere(): string {
  const here = RELEASE_LINES.filter(({ abi }) => findBuilt(`dpcap_pdump.dpdk${abi}.node`)).map(({ name }) => name);
  return here.length > 0 ? `this dpcap has those for ${here.join(', ')}` : 'this dpcap has none at all';
}

/** A private build of DPDK (RTE_MEMPOOL_MAX_OPS_IDX and the like) may differ without a different SONAME. */
function refuseOtherLayouts(addon: Layouts & { dpdkVersion: string }, host: Layouts): void {
  for (const name of ['opsLayout', 'memzoneLayout', 'mbufLayout', 'pdumpLimits'] as const) {
    const [theirs, ours] = [addon[name], host[name]].map((layout) => JSON.stringify(layout));
    if (theirs === ours) continue;
    throw new DpcapError(
      'ERR_VERSION_MISMATCH',
      `${name} is ${theirs} with DPDK ${addon.dpdkVersion}, and not ${ours}`,
      {
        subject: name,
        hint: 'both addons have to be built together: npm run build:native',
      },
    );
  }
}

/** A native file that was built: in the folder of a checkout, or in that of a package. Undefined where it is not there. */
export function findBuilt(file: string): string | undefined {
  const folders = ['build/Release', `prebuilds/linux-${process.arch}`];
  return folders.map((folder) => projectFile(`${folder}/${file}`)).find((path) => existsSync(path));
}

function load<T>(file: string): T {
  const path = findBuilt(file) ?? projectFile(`build/Release/${file}`);
  try {
    return require(path) as T;
  } catch (cause) {
    throw new DpcapError('ERR_ADDON_LOAD', `cannot load the native addon ${path}: ${(cause as Error).message}`, {
      cause,
      subject: path,
      errno: isMissingLibrary((cause as Error).message) ? 'ENOENT' : undefined,
      hint: loadHint((cause as Error).message),
    });
  }
}
