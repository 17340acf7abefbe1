/** The addon's functions for reading files of packets (native/reader/). */

/** A file that is being read; only the addon can look into it. */
export type InputHandle = object & { readonly input: unique symbol };

/** What packets of a file were captured on. */
export interface InputInterface {
  name: string;
  description: string;
  /** The expression that packets had to match; empty for none. */
  filter: string;
  /** Number of the link type (LINKTYPE_), 1 for Ethernet. */
  linkType: number;
  /** Bytes; 0: no limit. */
  snaplen: number;
  /** All else that pcapng says of it, as it goes into another file. */
  options: Uint8Array;
}

/** What a file is, and what was captured on. */
export interface InputFacts {
  format: 'pcap' | 'pcapng';
  codec: 'none' | 'gzip' | 'zstd' | 'lz4';
  /** Of the file's first section; empty for none. */
  comment: string;
  /** A pcapng file without packets may have none. */
  interfaces: InputInterface[];
}

/** How the reading of a file ended. */
export interface InputEnd {
  /** limit: as many packets as were wanted have been read. */
  how: 'complete' | 'cut' | 'damaged' | 'limit';
  /** How it is damaged; else empty. */
  words: string;
}

/** Reads files of packets. */
export interface ReaderBinding {
  /** Takes over the descriptor of a file or a pipe. It is closed when nobody has the handle any more. */
  openInput(fd: number): InputHandle;
  /**
   * Finds out what it is. Resolves with undefined when it has to be called again: more has to come, or a long file takes
   * its time. Rejects with ERR_INPUT_FILE.
   */
  readInputHead(input: InputHandle): Promise<InputFacts | undefined>;
}
