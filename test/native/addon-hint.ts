import t from 'tap';
import { loadHint } from '../../src/native/addon-hint.js';

const CASES: [string, RegExp][] = [
  ['librte_eal.so.24: cannot open shared object file: No such file or directory', /librte_eal\.so\.24 .*--dpdk-libs/],
  ['libpcap.so.0.8: cannot open shared object file: No such file', /package that has libpcap\.so\.0\.8/],
  ['/x/build/Release/dpcap_host.node: cannot open shared object file', /not built: run scripts\/setup\.sh/],
  ["Cannot find module '/x/build/Release/dpcap_host.node'\nRequire stack:", /not built/],
  ['/x/dpcap_pdump.dpdk23.node: undefined symbol: rte_bpf_load_ex', /lack rte_bpf_load_ex: .*rebuild/],
  ["librte_eal.so.23: version `DPDK_24' not found (required by /x/dpcap_pdump.dpdk23.node)", /lack DPDK_24/],
  ['something else', /rebuild it/],
];
for (const [message, hint] of CASES) t.match(loadHint(message), hint, message);
