/** Undoing what a test did to the host, however the test ends: return, exception, exit, SIGINT, SIGTERM. */
const undos = new Set<() => void>();
let installed = false;

/**
 * Registers a synchronous undo that runs when this process exits, newest first.
 * @returns takes the registration back without running it; call it once the thing was undone in the ordinary way
 */
export function atExit(undo: () => void): () => void {
  if (!installed) install();
  undos.add(undo);
  return () => undos.delete(undo);
}

function install(): void {
  installed = true;
  process.once('exit', () => {
    for (const undo of [...undos].reverse()) runOne(undo);
  });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
}

/** One undo that fails must not keep the others from running. */
function runOne(undo: () => void): void {
  try {
    undo();
  } catch (error) {
    process.stderr.write(`clean-up failed: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
