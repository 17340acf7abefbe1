/**
 * One file for each process in dist/bundle, which `bin/dpcap.cjs` runs; unit tests import the modules. To find and read
 * the several hundred modules of dist/src and its libraries takes node 0.2 s a process; as CommonJS, for which node 20
 * need not load its loader of ES modules, the files take 0.03 s less again.
 */
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { projectFile } from '../src/system/location.js';

const outdir = projectFile('dist/bundle');

rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: {
    main: projectFile('src/main.ts'),
    engine: projectFile('src/engine/main.ts'),
    watchdog: projectFile('src/watchdog/main.ts'),
    printer: projectFile('src/printer/main.ts'),
  },
  outdir,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  // Names stay, for stack traces. Without the white space node reads the files in half the time.
  minifyWhitespace: true,
  metafile: true,
  platform: 'node',
  target: 'node18', // Debian 12's own
  format: 'cjs',
  // A CommonJS file has no `import.meta`.
  define: { 'import.meta.url': 'fileUrl' },
  banner: { js: "'use strict'; const fileUrl = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
});

// One use of `z.core` took all of zod's languages along: 0.8 MB, which cost 20 ms at every start.
const unwanted = Object.keys(metafile.outputs).filter((output) =>
  Object.entries(metafile.outputs[output]?.inputs ?? {}).some(
    ([input, { bytesInOutput }]) => /zod\/v4\/locales\/(?!en\b|index\b)/.test(input) && bytesInOutput > 0,
  ),
);
if (unwanted.length > 0) throw new Error(`${unwanted.join(' and ')} hold zod's languages: import its parts by name`);
