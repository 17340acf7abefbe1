/** The head of a primary's `config` file (struct rte_mem_config): u32 magic, u32 version. */

/** RTE_MAGIC, which the primary writes when its rte_eal_init() has finished. */
const MAGIC = 19820526;
/** RTE_VER_RELEASE of a final release; a smaller value is the number of a release candidate. */
const FINAL_RELEASE = 99;

/** A DPDK release: the number that must be equal on both sides, and the text a person reads. */
export interface DpdkVersion {
  /** RTE_VERSION: year, month, minor and release, one byte each. */
  number: number;
  /** For example "22.11.11" or "25.11.0-rc2". */
  text: string;
}

/** Content of the head of the file. */
export interface ConfigHead {
  /** False until the primary has finished rte_eal_init(). */
  initialised: boolean;
  /** Undefined when the file is too short or holds no plausible version. */
  version: DpdkVersion | undefined;
}

/** Bytes of the file that {@link parseConfig} needs. */
export const CONFIG_HEAD_SIZE = 8;

/** Reads the head. Never throws, whatever the bytes are. The file has the host's byte order, as this reader has. */
export function parseConfig(bytes: Uint8Array): ConfigHead {
  if (bytes.byteLength < CONFIG_HEAD_SIZE) return { initialised: false, version: undefined };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = view.getUint32(4, true);
  return { initialised: view.getUint32(0, true) === MAGIC, version: versionFromNumber(number) };
}

/** The release with this RTE_VERSION, or undefined when no release can have it. */
export function versionFromNumber(number: number): DpdkVersion | undefined {
  const [year, month, minor, release] = [number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff];
  if (year < 16 || year > 99 || month < 1 || month > 12) return undefined;
  const candidate = release < FINAL_RELEASE ? `-rc${release}` : '';
  return { number, text: `${year}.${String(month).padStart(2, '0')}.${minor}${candidate}` };
}

/** The release in a text such as "DPDK 22.11.11" (telemetry's form), or undefined. */
export function versionFromText(text: string): DpdkVersion | undefined {
  const match = /\b(\d{2})\.(\d{2})\.(\d{1,3})(?:-rc(\d{1,2}))?/.exec(text);
  if (!match) return undefined;
  const [year, month, minor] = match.slice(1, 4).map(Number) as [number, number, number];
  if (minor > 0xff) return undefined;
  const release = match[4] === undefined ? FINAL_RELEASE : Number(match[4]);
  return versionFromNumber(((year << 24) | (month << 16) | (minor << 8) | release) >>> 0);
}
