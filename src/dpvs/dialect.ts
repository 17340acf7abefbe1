/**
 * The only table of DPVS's three IPC dialects. Ids and bits of one release are in one object and are never mixed: the
 * bit that switches forward2kni off in A takes the link down in B and C. Sources: the headers of v1.8.2 to v1.10.2.
 */

/** Byte offsets in the 128-byte reply to "get port basic", and the flag of interest. */
export interface PortBasicLayout {
  readonly name: number;
  readonly id: number;
  readonly rxQueues: number;
  readonly txQueues: number;
  readonly mac: number;
  readonly mtu: number;
  readonly speedMbps: number;
  readonly link: number;
  readonly flags: number;
  readonly forward2kni: number;
}

/** Everything in which releases differ. */
export interface Dialect {
  readonly name: 'A' | 'B' | 'C';
  /** Releases as DPVS writes them: "1.9-8". Only these are switched: it is unknown what a later one does with a bit. */
  readonly releases: readonly string[];
  /** Ids of requests of type GET. */
  readonly get: {
    readonly version: number;
    readonly lcoreMask: number;
    readonly portList: number;
    readonly portBasic: number;
    readonly bondStatus: number;
    readonly kniList: number;
  };
  /** Id of "set port", the only SET that is ever sent. */
  readonly setPort: number;
  /** Flag words of "set port": each has one bit set; a bit that is not set means "leave alone". */
  readonly setForward2kni: { readonly on: number; readonly off: number };
  readonly portBasic: PortBasicLayout;
}

const BASIC_A: PortBasicLayout = {
  id: 0,
  name: 2,
  rxQueues: 34,
  txQueues: 35,
  mac: 36,
  mtu: 70,
  speedMbps: 72,
  link: 76,
  flags: 124,
  forward2kni: 0x0002,
};

/** v1.9.6 and later: the structure was put in another order at the same size. */
const BASIC_BC: PortBasicLayout = {
  name: 0,
  mac: 32,
  link: 64,
  speedMbps: 112,
  rxQueues: 116,
  txQueues: 117,
  id: 122,
  mtu: 124,
  flags: 126,
  forward2kni: 0x0004,
};

/** v1.8.2 to v1.9.4. Releases before 1.9.4 tell a fixed text instead of their release. */
export const DIALECT_A: Dialect = {
  name: 'A',
  releases: ['1.9-4'],
  get: { version: 200, lcoreMask: 500, portList: 503, portBasic: 504, bondStatus: 507, kniList: 1400 },
  setPort: 501,
  setForward2kni: { on: 0x0010, off: 0x0020 },
  portBasic: BASIC_A,
};

/** v1.9.6. */
export const DIALECT_B: Dialect = {
  name: 'B',
  releases: ['1.9-6'],
  get: { version: 17, lcoreMask: 56, portList: 59, portBasic: 60, bondStatus: 64, kniList: 98 },
  setPort: 53,
  setForward2kni: { on: 0x0040, off: 0x0080 },
  portBasic: BASIC_BC,
};

/** v1.9.8 to v1.10.2. */
export const DIALECT_C: Dialect = {
  name: 'C',
  releases: ['1.9-8', '1.9-10', '1.10-1', '1.10-2'],
  get: { version: 17, lcoreMask: 57, portList: 60, portBasic: 61, bondStatus: 65, kniList: 102 },
  setPort: 54,
  setForward2kni: { on: 0x0040, off: 0x0080 },
  portBasic: BASIC_BC,
};

export const DIALECTS: readonly Dialect[] = [DIALECT_A, DIALECT_B, DIALECT_C];

/** What releases before 1.9.4 answer to "get version string". */
export const UNNUMBERED_A = 'DPDK-FULLNAT Server version 1.1.4';
