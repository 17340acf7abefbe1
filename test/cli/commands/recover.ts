import t from 'tap';
import { whySkipped } from '../../../src/cli/commands/recover.js';
import type { Capturability } from '../../../src/primary/capturable.js';
import type { Primary } from '../../../src/primary/discover.js';

const primary = { filePrefix: 'rte' } as Primary;
const reason = { code: 'ERR_VERSION_MISMATCH' as const, message: 'the primary runs DPDK 20.11.10', hint: '' };
const other: Capturability = { verdict: 'no', reasons: [reason], warnings: [] };
const why = (memzones: string[] | undefined, capturability = other) =>
  whySkipped(primary, { facts: { memzones }, capturability });

t.equal(why(['x'], { verdict: 'yes', reasons: [], warnings: [] }), undefined, 'one that can be joined is');
t.equal(why(undefined, { verdict: 'unknown', reasons: [], warnings: [] }), undefined);
t.same(why(['rte_eth_dev_data']), { inDoubt: [], skipped: 'nothing to clear: the primary runs DPDK 20.11.10' });
t.match(why(['dpcap_4000000_1a', 'MP_dpcap_4000000_1a']), {
  inDoubt: [{ name: 'a capture of pid 4000000 in rte', lanes: [/cannot be joined by this dpcap .*20\.11\.10/] }],
});
t.same(why(undefined), { inDoubt: [], skipped: 'not looked at: the primary runs DPDK 20.11.10' });
