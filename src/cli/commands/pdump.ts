/** `dpcap pdump` stands in for dpdk-pdump, and for DPVS's patched one, in scripts that call it. */

import { pickSource } from '../../agent/pick.js';
import { resolvePortNames } from '../../dpvs/port-names.js';
import { asDpcapError, errorFromRecord, errorText } from '../../errors.js';
import { compileFilter } from '../../filter/compile.js';
import { hostAddon } from '../../native/addons.js';
import { type PdumpArguments, parseArguments } from '../../pdump/arguments.js';
import type { PdumpTuple } from '../../pdump/grammar.js';
import { nameOf, type PdumpOutput, planOutputs } from '../../pdump/outputs.js';
import { statisticsLines } from '../../pdump/statistics.js';
import { filterNative } from '../../primary/joining/filter-native.js';
import type { PickedPrimary } from '../../primary/pick.js';
import { dataRoomFor, MBUF_OVERHEAD } from '../../protocol/mempool-size.js';
import type { EnginePlan } from '../../protocol/plan.js';
import { DEFAULT_REQUEST } from '../../protocol/request.js';
import { outputTarget } from '../../sinks/file-target.js';
import type { OutputTarget } from '../../sinks/output-target.js';
import { type RunningCapture, startCapture } from '../../supervisor/capture.js';
import { commandLine, createPlan } from '../../supervisor/create-plan.js';
import { whileSignalsEnd } from '../../supervisor/foreground.js';
import type { Reporter } from '../../supervisor/report/reporter.js';
import type { StatsRecord } from '../../supervisor/report/stats-record.js';
import { lossLine, lostPackets } from '../../supervisor/report/text.js';
import { diagnostics } from '../../system/diagnostics.js';
import { createLogger, type Logger } from '../../system/log.js';
import type { CommandContext, RegisterCommand } from '../command.js';

const HELP = `
Words (EAL's own, if any, stand before --; of those only --file-prefix counts):
  --pdump 'port=N|device_id=NAME,queue=Q|*,rx-dev=OUTPUT|tx-dev=OUTPUT[,host=][,src-host=][,dst-host=]
           [,proto=tcp|udp|icmp|icmp6][,proto-port=][,src-port=][,dst-port=]
           [,ring-size=][,mbuf-size=][,total-num-mbufs=]'     repeatable
  --file-prefix PREFIX   the primary (default: the only one that runs)
  -c N                   stop each output after N packets
  --multi                accepted
An OUTPUT that is the name of a kernel interface is one: packets are sent out of it. Any other is a pcap file; write
./eth0 for a file of that name. Equal ones for rx-dev and tx-dev are one output, in time order. See docs/filters.md for
more, and for where it differs from dpdk-pdump.`;

export const registerPdump: RegisterCommand = (program, context) => {
  program
    .command('pdump')
    .description('Capture as dpdk-pdump does, with its arguments.')
    .argument('[words...]')
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText('after', HELP)
    .action((words: string[]) => pdump(words, context));
};

async function pdump(words: string[], context: CommandContext): Promise<void> {
  const given = parseArguments(words);
  const { isInterface } = hostAddon();
  const outputs = planOutputs(given.tuples, isInterface); // finds mistakes in the words before a primary is looked for
  const native = filterNative(given.filePrefix);
  const filters = given.tuples.map(({ filter }) => compileFilter({ words: filter }, { native }));
  const picked = pickSource(given.filePrefix, 'auto');
  planOutputs(given.tuples, isInterface, (port) => picked.ports?.find(({ id }) => String(id) === port)?.name ?? port);
  const tuples = await Promise.all(
    given.tuples.map(async (tuple) => ({
      ...tuple,
      port: (await resolvePortNames([tuple.port], picked))[0] as string,
    })),
  );
  const captures = outputs.map((output): PdumpCapture => {
    const tuple = tuples[output.tuple] as PdumpTuple;
    const target: PdumpTarget = output.to.kind === 'file' ? outputTarget(output.to.path) : { to: output.to };
    const plan = planOf({ ...output, to: target.to }, tuple, filters[output.tuple], picked, given);
    return { plan, output: describe(output, target), inherited: target.inherits };
  });
  for (const note of [...given.notes, ...given.tuples.flatMap(({ notes }) => notes)]) warn(`note: ${note}`);
  const records = await runAll(captures, context, createLogger('warn', 'dpcap'));
  const perTuple = given.tuples.map((_, tuple) => records.filter((_, at) => outputs[at]?.tuple === tuple));
  const lines = `${perTuple.flatMap(statisticsLines).join('\n')}\n`;
  (captures.some(({ inherited }) => inherited === STDOUT) ? diagnostics : process.stdout).write(lines);
}

/** Standard output is for dpdk-pdump's closing lines, unless packets go there. */
const STDOUT = 1;

/** The target of a file, extended to any kind of output. */
type PdumpTarget = Omit<OutputTarget, 'to'> & { to: EnginePlan['output'] };

interface PdumpCapture {
  plan: EnginePlan;
  /** The name of the output, for people. */
  output: string;
  inherited: number | undefined;
}

function describe({ to }: PdumpOutput, { note }: PdumpTarget): string {
  return note ? `${nameOf(to)} (written ${note})` : nameOf(to);
}

const warn = (text: string): void => {
  diagnostics.write(`dpcap: ${text}\n`);
};

function planOf(
  output: { to: EnginePlan['output']; directions: PdumpOutput['directions'] },
  tuple: PdumpTuple,
  filter: ReturnType<typeof compileFilter>,
  picked: PickedPrimary,
  { filePrefix, packetLimit }: PdumpArguments,
): EnginePlan {
  const request = {
    ...DEFAULT_REQUEST,
    filePrefix,
    ports: [tuple.port],
    directions: output.directions,
    queues: tuple.queue === undefined ? undefined : [tuple.queue],
    packetLimit,
  };
  const room = dataRoomFor(request.snaplen, picked.maxFrame) + MBUF_OVERHEAD;
  const bufferBytes = tuple.mbufs === undefined ? undefined : (tuple.mbufs + 1) * room;
  return createPlan({ ...request, bufferBytes }, filter, picked, output.to, commandLine());
}

/**
 * Runs all captures at once, until each has ended. When one fails, the others are stopped in order. Resolves with the
 * last records.
 */
async function runAll(
  captures: PdumpCapture[],
  context: CommandContext,
  log: Logger,
): Promise<(StatsRecord | undefined)[]> {
  const records: (StatsRecord | undefined)[] = captures.map(() => undefined);
  const start = (capture: PdumpCapture, at: number): RunningCapture => {
    const keep = (record: StatsRecord): void => {
      records[at] = record;
    };
    return startCapture(capture.plan, capture, reporterFor(capture, keep), log);
  };
  await whileSignalsEnd((running) => {
    running.push(...captures.map(start));
    return Promise.all(running.map((one) => endOf(one, running, context)));
  });
  return records;
}

/** Waits for the end of one capture. When it fails, that is said, and the others are stopped. */
async function endOf(
  { done }: RunningCapture,
  running: readonly RunningCapture[],
  context: CommandContext,
): Promise<void> {
  try {
    const { error } = await done;
    if (error) throw errorFromRecord(error);
  } catch (thrown) {
    const error = asDpcapError(thrown);
    diagnostics.write(errorText(error, context.isJson));
    context.exitCode = error.exitCode;
    for (const other of running) other.stop('stopped');
  }
}

/** @param keep takes the last record */
function reporterFor({ plan, output }: PdumpCapture, keep: (record: StatsRecord) => void): Reporter {
  return {
    wantsProgress: false,
    started: () => warn(`capturing ${plan.directions.join(' and ')} of port ${plan.ports.join()} to ${output}`),
    progress: () => {},
    notice: warn,
    asked: (record) => warn(`${record.packets} packets to ${output} so far, ${lossLine(record.ports)}`),
    finished: (record, { notes = [] }) => {
      keep(record);
      for (const note of notes) warn(`note: ${note}`);
      if (lostPackets(record.ports) > 0) warn(`on the way to ${output}, ${lossLine(record.ports)}`);
    },
  };
}
