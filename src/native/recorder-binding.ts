/** The addon's functions for flight recorders: those that are on in applications, and the boxes that they write. */
import type { CompressionPlan } from '../sinks/compression.js';
import type { Direction } from './primary-binding.js';

/** What a recorder is asked for. */
export interface RecorderOrder {
  /** Bytes. */
  memory: number;
  snaplen: number;
  rx: boolean;
  tx: boolean;
  /** Names; empty for all, also those that come later. */
  devices: string[];
  /** 8-byte eBPF instructions for rx and for tx; both are empty for all packets. */
  program: Uint8Array;
  programTx: Uint8Array;
  /** What the user typed, which is kept in the box. */
  filter: string;
}

/** A recorder that is on. */
export interface RecorderState {
  /** Queues that packets come from now. */
  lanes: number;
  /** The box's path, as the application sees it. */
  path: string;
  /** The box, open for reading; the caller closes it. */
  fd: number;
}

/** A queue and direction that a box has packets of, and what became of them. */
export interface BoxLane {
  device: string;
  port: number;
  queue: number;
  direction: Direction;
  accepted: bigint;
  filtered: bigint;
  /** Lost, because there were more queues than segments. */
  full: bigint;
  contended: bigint;
}

/** What a box says of itself. It may have been made to mislead: no number here was checked against anything else. */
export interface BoxFacts {
  /** The application lives, and holds the box. */
  isRecording: boolean;
  pid: number;
  program: string;
  filePrefix: string;
  dpdkVersion: string;
  /** Which boot of the machine it was. */
  bootId: string;
  filter: string;
  snaplen: number;
  /** Size of the whole box. */
  bytes: number;
  /** Parts of its memory for packets: each queue and direction keeps one at least. */
  segments: number;
  segmentBytes: number;
  /** When the recorder was switched on; times are nanoseconds of the time of day. */
  startedNs: bigint;
  /** Its oldest and its newest packet; 0 without any. */
  firstNs: bigint;
  lastNs: bigint;
  /** Packets until then have been overwritten, if not all of them; 0: none. */
  overwrittenUntilNs: bigint;
  packets: bigint;
  lanes: BoxLane[];
}

/** How the packets of a box are written. */
export interface SaveRequest {
  format: 'pcap' | 'pcapng';
  /** Time of day; 0 for all that there is. */
  sinceMs: number;
  application: string;
  operatingSystem: string;
  comment: string;
  /** Left out for a file that is not compressed. */
  compression?: CompressionPlan;
}

/** What was written. */
export interface Saved {
  packets: bigint;
  /** Of the packets. */
  bytes: bigint;
  firstNs: bigint;
  lastNs: bigint;
  overwrittenUntilNs: bigint;
  /** Segments that the file does not have: it is shorter than it says. */
  cutOff: number;
  /** Segments that the application overwrote meanwhile. */
  overwritten: number;
  /** Segments in which something was that is no record. */
  damaged: number;
  /** The errno name of the output's failure. */
  failure: string | null;
}

/** Talks to recorders, and reads boxes. */
export interface RecorderBinding {
  /**
   * Switches the recorder of an application on. Throws ERR_NO_MEMORY, ERR_CAPTURE_BUSY when it is on, ERR_PERMISSION,
   * ERR_RECORDER_FILE, ERR_VERSION_MISMATCH when the agent has none, and as agentHello().
   * @param socket path of the agent's socket
   */
  recorderOn(socket: string, order: RecorderOrder): void;
  /** Switches it off, and removes its box. Returns whether there was one. Throws ERR_DISABLE_FAILED. */
  recorderOff(socket: string): boolean;
  /** Undefined where none is on. */
  recorderState(socket: string): RecorderState | undefined;
  /** Throws ERR_RECORDER_FILE when the file is no box, ERR_VERSION_MISMATCH when it is one of another version. */
  readBox(fd: number): BoxFacts;
  /**
   * Whether the process that writes a box lives, also a box of another version, or a damaged one. Throws ERR_RECORDER_FILE
   * when the file is none at all.
   */
  isBoxHeld(fd: number): boolean;
  /** Writes the packets of a box in the order of time. Closes `output`. Rejects as readBox() throws, and ERR_NO_MEMORY. */
  saveBox(fd: number, output: number, request: SaveRequest): Promise<Saved>;
}
