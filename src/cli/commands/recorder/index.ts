/** `dpcap recorder` keeps the newest packets of an application in memory, and saves them, also after its death. */

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { runtimeRoot } from '../../../primary/runtime-dir.js';
import { findBoxes } from '../../../recorder/find.js';
import { boxesJson, formatBoxes } from '../../../recorder/report.js';
import type { RegisterCommand } from '../../command.js';
import { addFilterOptions, collect } from '../../filter-options.js';
import { addCompressOption } from '../../output/compress-option.js';
import { printEnvironment, type RawRecorderOptions, switchOff, switchOn } from './on.js';
import { type RawSaveOptions, save } from './save.js';

export const registerRecorder: RegisterCommand = (program) => {
  const recorder = program
    .command('recorder')
    .description("Keep an application's newest packets in memory, and save them, also after it has died.");
  addRecorderOptions(
    recorder.command('on').description('Switch the recorder of an application that has the agent on.'),
  ).action((words: string[], raw: RawRecorderOptions) => switchOn(words, raw));
  addRecorderOptions(
    recorder.command('env').description('Print the environment variable that starts a recorder with an application.'),
  ).action((words: string[], raw: RawRecorderOptions) => printEnvironment(words, raw));
  addSave(recorder.command('save').description('Save the packets of a recorder, or of the black box that one left.'));
  addPrefix(recorder.command('off').description('Switch a recorder off, and remove its black box.')).action(switchOff);
  addPrefix(recorder.command('status').description('List recorders that are on, and the black boxes that others left.'))
    .option('--json', 'Print one JSON document.')
    .action(status);
};

function addPrefix(command: Command): Command {
  return command.option('--file-prefix <prefix>', 'Prefix of the application. Default: the only one, or all.');
}

function addRecorderOptions(command: Command): Command {
  addPrefix(command)
    .argument('[expression...]', 'Expression of pcap-filter(7), as for tcpdump.')
    .option(
      '-i, --interface <port>',
      'Port to record: its number or device name. Repeatable. Default: all, also those that come later.',
      collect,
    )
    .option('-Q, --direction <direction>', 'Direction to record: rx, tx or both. Default: both.')
    .option('-s, --snapshot-length <bytes>', 'Bytes of each packet to keep. Default: all.')
    .option('--memory <size>', 'Memory for packets, such as 256M or 2G. Default: 256M.');
  addFilterOptions(command);
  return command;
}

function addSave(command: Command): void {
  addCompressOption(command);
  addPrefix(command)
    .requiredOption('-w, --write <file>', 'File to write. -: standard output.')
    .option('-F, --format <format>', 'File format: pcapng or pcap. Default: by the name.')
    .option('--last <time>', 'Save only the packets of the last 30s, 5m ... before now, or before the end.')
    .option('--since <time>', 'Save only packets from a time on: 21:04:05, 2026-11-30T21:04:05, @SECONDS.')
    .option('--pid <pid>', 'Process whose recorder, or black box, is meant.')
    .option('--box <file>', 'Read this black box, or a copy of one.')
    .action((raw: RawSaveOptions) => save(raw));
}

function status({ filePrefix, json }: { filePrefix?: string; json?: boolean }): void {
  const found = findBoxes(runtimeRoot(), filePrefix);
  try {
    const text = json
      ? JSON.stringify(boxesJson(found.boxes, found.bad))
      : formatBoxes(found.boxes, found.bad, readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
    process.stdout.write(`${text}\n`);
  } finally {
    found.close();
  }
}
