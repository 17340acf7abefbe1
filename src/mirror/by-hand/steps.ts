/** Commands with which a person sets up a mirror where no controller can, by NIC (mirroring.md 1-3). Pure functions. */
import type { Mirror, PlanStep } from '../controller.js';
import { type NicDriver, vfdAbility } from '../nic.js';

/** What the commands need. A value that is not known is a word in capitals, to be filled in. */
export interface PlanFacts {
  mirror: Pick<Mirror, 'vf' | 'direction'>;
  /** The PF's port number in the primary that owns it, or a word for one that is not known. */
  port: string;
  /** The target VF's number, or a word for one that is not known. */
  target: string;
  driver: NicDriver | undefined;
  pfPci: string;
  /** The guest's own MAC, by which a NIC recognises the traffic that the guest receives. */
  mac: string;
  /** Kernel interfaces in switchdev mode. */
  uplink: string;
  sourceRepresentor: string;
  targetRepresentor: string;
}

type Step = (facts: PlanFacts) => PlanStep;

const wants = (facts: PlanFacts, way: 'in' | 'out'): boolean => [way, 'all'].includes(facts.mirror.direction);

/** Returns all ways for a NIC, the likeliest first; for an unknown NIC, all that there are. */
export function planSteps(facts: PlanFacts): PlanStep[] {
  return STEPS.filter(({ drivers }) => !facts.driver || drivers.includes(facts.driver)).map(({ step }) => step(facts));
}

/** Does not print what VFd cannot do on this NIC: VFd would report success, or lose a rule. */
const iplex: Step = (facts) => {
  const { driver, port, target } = facts;
  const { vf, direction } = facts.mirror;
  const { byCommand, notes } = vfdAbility(driver && { driver, model: undefined });
  const possible = byCommand.includes(direction);
  const byConfig = `dpcap mirror set --pf ${port} --vf ${vf} --direction ${direction} --target ${target} --by-config`;
  const byIplex = [
    `iplex mirror ${port} ${vf} ${direction} ${target}`,
    'iplex show mirrors',
    `iplex mirror ${port} ${vf} off    # to end it`,
  ];
  return {
    title: possible ? 'VFd owns the PF' : `VFd owns the PF: iplex cannot mirror "${direction}" here`,
    commands: possible ? byIplex : byCommand.length === 0 ? [byConfig, ...clearByConfig(facts)] : [],
    notes: ['VFd cannot be built with DPDK 21.11 or later; dpcap mirror set does this with checks', ...notes],
  };
};

const clearByConfig = ({ port, mirror }: PlanFacts): string[] => [
  `dpcap mirror clear --pf ${port} --vf ${mirror.vf} --by-config    # to end it`,
];

/** The command that starts testpmd. Its ports are: 0 the uplink, 1 the source's representor, 2 the target VF's. */
const testpmdStart = ({ pfPci, mirror, target }: PlanFacts): string =>
  `dpdk-testpmd -a ${pfPci},representor=vf[${mirror.vf},${target}] -- -i`;

const match = (facts: PlanFacts, way: 'in' | 'out'): string =>
  way === 'in'
    ? `represented_port ethdev_port_id is 0 / eth dst is ${facts.mac}`
    : 'represented_port ethdev_port_id is 1';
const fate = (way: 'in' | 'out'): string => `represented_port ethdev_port_id ${way === 'in' ? 1 : 0}`;

/** Each rule is validated before it is created, so that a refused one changes nothing. */
function flowRules(facts: PlanFacts, sample: string): string[] {
  return (['in', 'out'] as const)
    .filter((way) => wants(facts, way))
    .flatMap((way) => {
      const rule = `transfer pattern ${match(facts, way)} / end actions ${sample} / ${fate(way)} / end`;
      return [`flow validate 0 ${rule}`, `flow create 0 ${rule}    # note the rule's number`];
    });
}

const SAMPLE_NOTES = [
  "the rule also decides where the original goes: it takes the place of the application's own rules for that traffic",
  'before DPDK 23.07 testpmd knows no represented_port among the sample actions: write port_id id 2 there',
  'flow rules must be made in the primary itself; a secondary process must not',
];

const sampleMlx5: Step = (facts) => ({
  title: 'mlx5: a transfer rule with a sample action of ratio 1, in the primary (testpmd)',
  commands: [
    `devlink dev eswitch set pci/${facts.pfPci} mode switchdev`,
    testpmdStart(facts),
    'set sample_actions 0 represented_port ethdev_port_id 2 / end',
    ...flowRules(facts, 'sample ratio 1 index 0'),
    'flow destroy 0 rule NUMBER    # to end it',
  ],
  notes: [
    ...SAMPLE_NOTES,
    'DPDK 20.11 or later; on ConnectX-5 the sample action comes before any that changes the packet',
  ],
});

const sampleBnxt: Step = (facts) => ({
  title: 'bnxt (TruFlow): the sample action as a shared one',
  commands: [
    testpmdStart(facts),
    'set sample_actions 0 represented_port ethdev_port_id 2 / end',
    'flow indirect_action 0 create action_id 1 transfer action sample ratio 1 index 0 / end',
    ...flowRules(facts, 'indirect 1'),
    'flow destroy 0 rule NUMBER    # to end it',
    'flow indirect_action 0 destroy action_id 1',
  ],
  notes: [...SAMPLE_NOTES, 'DPDK 21.08 or later'],
});

const sampleCnxk: Step = (facts) => {
  const { vf } = facts.mirror;
  const rule = `ingress pattern eth dst is ${facts.mac} / end actions sample ratio 1 index 0 / vf id ${vf} / end`;
  return {
    title: 'cnxk: a sample action with exactly one VF',
    commands: !wants(facts, 'in')
      ? []
      : [
          `dpdk-testpmd -a ${facts.pfPci} -- -i`,
          `set sample_actions 0 vf id ${facts.target} / end`,
          `flow validate 0 ${rule}`,
          `flow create 0 ${rule}    # note the rule's number`,
          'flow destroy 0 rule NUMBER    # to end it',
        ],
    notes: ['DPDK 24.03 or later; only what the guest receives', ...SAMPLE_NOTES.slice(0, 1)],
  };
};

const deliverSfc: Step = (facts) => {
  const rules = (['in', 'out'] as const)
    .filter((way) => wants(facts, way))
    .map((way) => {
      const actions = `${fate(way)} / represented_port ethdev_port_id 2`;
      return `flow create 0 transfer pattern ${match(facts, way)} / end actions ${actions} / end`;
    });
  return {
    title: 'sfc: one transfer rule that delivers twice',
    commands: [testpmdStart(facts), ...rules, 'flow destroy 0 rule NUMBER    # to end it'],
    notes: ['DPDK 23.11 or later', ...SAMPLE_NOTES.slice(0, 1)],
  };
};

const mirrorRules: Step = (facts) => {
  const { port } = facts;
  const { vf } = facts.mirror;
  const mask = `0x${(1n << BigInt(vf)).toString(16)}`;
  const out = facts.driver === 'ixgbe' ? 'downlink-mirror' : `pool-mirror-down ${mask}`;
  const rules = [...(wants(facts, 'in') ? [`pool-mirror-up ${mask}`] : []), ...(wants(facts, 'out') ? [out] : [])].map(
    (rule, i) => `set port ${port} mirror-rule ${i} ${rule} dst-pool ${facts.target} on`,
  );
  return {
    title: 'ixgbe or i40e with DPDK before 21.11, in the primary that owns the PF (testpmd)',
    commands: [
      ...(wants(facts, 'out') ? [`set tx loopback ${port} on`] : []),
      ...rules,
      ...rules.map((_, i) => `reset port ${port} mirror-rule ${i}    # to end it`),
    ],
    notes: [
      'since DPDK 21.11 no PMD of ixgbe, i40e or ice mirrors VF traffic: use VFd, the switch, or capture in the guest',
      'ixgbe: downlink-mirror takes the whole port, and there are 4 rules; i40e: one direction a rule, 64 rules',
    ],
  };
};

const loopback: Step = ({ port }) => ({
  title: 'a DPDK primary owns the PF: keep what VFs send to each other in the NIC',
  commands: [`set tx loopback ${port} on`],
  notes: ['for the whole port; without it nothing that the guest sends reaches another VF'],
});

const tc: Step = (facts) => {
  const { uplink, sourceRepresentor: source, targetRepresentor: target } = facts;
  const outgoing = [
    `tc qdisc add dev ${source} clsact`,
    `tc filter add dev ${source} ingress matchall skip_sw action mirred egress mirror dev ${target}`,
  ];
  const incoming = [
    `tc qdisc add dev ${uplink} clsact`,
    `tc filter add dev ${uplink} ingress flower dst_mac ${facts.mac} skip_sw action mirred egress mirror dev ${target} action mirred egress redirect dev ${source}`,
  ];
  const ends = [...(wants(facts, 'out') ? [source] : []), ...(wants(facts, 'in') ? [uplink] : [])];
  return {
    title: 'the PF stays with its kernel driver, in switchdev mode (mlx5 always does)',
    commands: [
      `devlink dev eswitch show pci/${facts.pfPci}`,
      ...(wants(facts, 'out') ? outgoing : []),
      ...(wants(facts, 'in') ? incoming : []),
      ...ends.map((dev) => `tc qdisc del dev ${dev} clsact    # to end it`),
    ],
    notes: ['what a representor receives is what its VF sends; devlink port show lists the names'],
  };
};

const ofed: Step = ({ mirror: { vf, direction }, target, uplink }) => {
  const files = [
    ...(['in', 'all'].includes(direction) ? ['egress_mirr'] : []),
    ...(['out', 'all'].includes(direction) ? ['ingress_mirr'] : []),
  ].map((file) => `/sys/class/net/${uplink}/device/sriov/${target}/${file}`);
  return {
    title: 'mlx5 with the vendor OFED kernel drivers',
    commands: [
      ...files.map((file) => `echo add ${vf} > ${file}`),
      ...files.map((file) => `echo rem ${vf} > ${file}    # to end it`),
    ],
    notes: ['egress_mirr is what the guest receives'],
  };
};

/** The order is: requests to a controller, then rules in a primary, then the kernel. */
const STEPS: { drivers: NicDriver[]; step: Step }[] = [
  { drivers: ['ixgbe', 'i40e', 'mlx5'], step: iplex },
  { drivers: ['mlx5'], step: sampleMlx5 },
  { drivers: ['bnxt'], step: sampleBnxt },
  { drivers: ['cnxk'], step: sampleCnxk },
  { drivers: ['sfc'], step: deliverSfc },
  { drivers: ['ixgbe', 'i40e'], step: mirrorRules },
  { drivers: ['bnxt'], step: loopback },
  { drivers: ['mlx5', 'ice', 'bnxt', 'sfc'], step: tc },
  { drivers: ['mlx5'], step: ofed },
];
