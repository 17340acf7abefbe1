/** The live-test harness: everything a live test imports. */
export { type PcapPacket, readPcap, writePcap } from '../helpers/pcap-file.js';
export { accountingErrors, balances, total } from './accounting.js';
export { atExit } from './at-exit.js';
export {
  type Captured,
  capture,
  LiveCapture,
  recordsIn,
  type StatsRecord,
  startCapture,
} from './capture.js';
export { type DpvsPrimary, startDpvsPrimary } from './dpvs-primary.js';
export { childrenOf, cpuSeconds, enginePid, gone, wakeUps } from './engine.js';
export {
  forward2kni,
  hasInterface,
  interfaceGone,
  kniName,
  recordInterface,
  rxQueuesOf,
  startForwarder,
  watchInterface,
} from './forwarder.js';
export { canFreezeThreads, freezeThread, threadNamed } from './freezer.js';
export {
  runDpcapAsNobody,
  runDpcapLacking,
  runDpcapSeeing,
  runDpcapWithoutDpdk,
  startDpcapInPidNamespace,
} from './isolated.js';
export { clearLeftovers, lastingLeftovers, leftovers } from './leftovers.js';
export { type Bridge, bridgeTwoNamespaces, type HttpServer, type Namespace, startHttpServer } from './netns.js';
export { uniqueName } from './owned.js';
export { capinfos, countPackets, tcpdumpLines, tsharkFields } from './pcap.js';
export { type Pipeline, startPipeline } from './pipeline.js';
export { DPCAP, type Exit, type Finished, type Running, run, runDpcap, start, startDpcap } from './processes.js';
export { Replay, startReplay } from './replay.js';
export { freeHugepagesMb, isInstalled, type Needs, requirements } from './requirements.js';
export {
  isThroughAgent,
  type Snapshot,
  startTestpmd,
  type Testpmd,
  type TestpmdOptions,
  underLoad,
} from './testpmd.js';
export { type Before, isForwarding, isUnharmed, remember } from './unharmed.js';
export { type VethNamespace, type VethPair, vethNamespace, vethPair } from './veth.js';
