/** /proc/PID/maps: what a process has mapped, and where. */

/** One line of the file. Addresses and offsets are bytes. */
export interface Mapping {
  start: bigint;
  end: bigint;
  /** Such as "r-xp". */
  permissions: string;
  /** Offset in the file of what is mapped at {@link start}. */
  offset: bigint;
  inode: number;
  /** Empty for anonymous memory; without the kernel's " (deleted)". */
  path: string;
}

const LINE =
  /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([r-][w-][x-][sp]) ([0-9a-f]{1,16}) [0-9a-f]+:[0-9a-f]+ (\d{1,15}) *(.*)$/;

/** Reads the text; lines of another form are left out. */
export function parseMaps(text: string): Mapping[] {
  return text.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (!match) return [];
    const [, start, end, permissions, offset, inode, path] = match as unknown as [string, ...string[]] & string[];
    return [
      {
        start: BigInt(`0x${start}`),
        end: BigInt(`0x${end}`),
        permissions: permissions as string,
        offset: BigInt(`0x${offset}`),
        inode: Number(inode),
        path: (path as string).replace(/ \(deleted\)$/, ''),
      },
    ];
  });
}

/** A file that a process has mapped, with all its mappings in order of address. */
export interface MappedFile {
  path: string;
  inode: number;
  mappings: Mapping[];
}

/** The mapped files in order of their first address. Same path and another inode is another file (an upgrade). */
export function mappedFiles(mappings: readonly Mapping[]): MappedFile[] {
  const files = new Map<string, MappedFile>();
  for (const mapping of mappings) {
    if (!mapping.path.startsWith('/')) continue;
    const key = `${mapping.inode} ${mapping.path}`;
    const file = files.get(key) ?? { path: mapping.path, inode: mapping.inode, mappings: [] };
    file.mappings.push(mapping);
    files.set(key, file);
  }
  return [...files.values()];
}
