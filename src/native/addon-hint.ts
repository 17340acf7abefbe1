/** Tells what to do when the addon cannot be loaded, by the message of the loader. Pure. */

/** A missing library by its file name; DPDK's are like `librte_eal.so.23`. */
const MISSING_LIBRARY = /(\S+\.(?:node|so[.\d]*)): cannot open shared object file/;
const MISSING_SYMBOL = /undefined symbol: (\w+)|version `([^']+)' not found/;

/** Whether a library is not there, which is no fault where no such primary runs. */
export function isMissingLibrary(message: string): boolean {
  return MISSING_LIBRARY.test(message);
}

/** @param message the error message of dlopen() or of node */
export function loadHint(message: string): string {
  const library = MISSING_LIBRARY.exec(message)?.[1];
  if (library?.endsWith('.node'))
    return 'it is not built: run scripts/setup.sh, which installs what it needs and builds it';
  if (library?.startsWith('librte_')) {
    return (
      `DPDK's ${library} is not found: install the libraries of that release (apt install dpdk), ` +
      'or give the folder that has them with --dpdk-libs DIR'
    );
  }
  if (library)
    return `install the package that has ${library} (scripts/setup.sh does), or rebuild: npm run build:native`;
  const symbol = MISSING_SYMBOL.exec(message)
    ?.slice(1)
    .find((one) => one !== undefined);
  if (symbol) return `the installed libraries lack ${symbol}: it was built with others; rebuild: npm run build:native`;
  if (/Cannot find module/.test(message)) return loadHint('dpcap_host.node: cannot open shared object file');
  return 'rebuild it: npm run build:native';
}
