/** `dpcap mirror by-hand`, through the command line. */
import t from 'tap';
import { runDpcap } from '../../../harness/index.js';

const byHand = (...words: string[]): ReturnType<typeof runDpcap> => runDpcap(['mirror', 'by-hand', ...words]);

t.test('commands, as text and as a document', async (t) => {
  t.match(await byHand('-i', '0', '--to-port', '1'), { code: 0, stdout: /^dpcap mirror set -i 0 --to-port 1/m });
  const { stdout } = await byHand('--dev', 'lo', '--to-dev', 'dpcapnone', '--switchdev', '--json');
  t.match(JSON.parse(stdout), {
    effect: 'planned',
    steps: [
      { commands: { length: 3 }, notes: [/representor/, 'lo is there', /dpcapnone is NOT there/, /not checked/] },
    ],
  });
  const receiver = await byHand('--receive', 'vxlan', '--local', '192.0.2.9', '--tunnel-id', '7');
  t.match(receiver, {
    code: 0,
    stdout: /checked[\s\S]*^ip link add mirror0 type vxlan id 7 dstport 4789 local 192\.0\.2\.9$/m,
  });
  const tunnel = 'vxlan://192.0.2.9?vni=7&src=192.0.2.1';
  t.match(await byHand('-i', '0', '--to', tunnel, '--out-port', '1'), {
    code: 0,
    stdout: `dpcap mirror set -i 0 --to '${tunnel}' --out-port 1 --until-exit`,
  });
  t.match(await byHand('--dev', 'peer', '--to', tunnel), {
    code: 0,
    stdout: /peer is NOT there[\s\S]*checked in an empty[\s\S]*^tc filter add dev peer ingress .* mirror dev mirror0$/m,
  });
});

t.test('what is not said, or wrong', async (t) => {
  const wrong: [words: string[], message: RegExp][] = [
    [[], /by hand: what\?/],
    [['--dev', 'lo'], /--dev without --to-dev/],
    [['--dev', 'lo', '--to', 'vxlan://192.0.2.9?vni=7'], /src is missing/],
    [['--dev', 'lo', '--to', 'vxlan://192.0.2.9?vni=7&src=192.0.2.1', '--out-port', '1'], /--out-port with --dev/],
    [['-i', '0', '--to', 'vxlan://192.0.2.9?vni=7&src=192.0.2.1'], /--to without --out-port/],
    [['--dev', 'lo', '--to-dev', 'lo'], /the target is the source/],
    [['--dev', 'lo; reboot', '--to-dev', 'lo'], /is no interface/],
    [['--receive', 'vxlan'], /--receive without --local/],
    [['--receive', 'vxlan', '--local', 'collector'], /names are not looked up/],
    [['--receive', 'erspan', '--local', '192.0.2.9', '--tunnel-id', '5000'], /out of range/],
    [['--receive', 'erspan', '--local', '192.0.2.9', '--version', '1'], /--version: unknown value 1/],
    [['--receive', 'erspan', '--local', '192.0.2.9', '--remote', '2001:db8::1'], /is of another IP version/],
    [['--hardware', '-i', '0', '--to-port', '1'], /what becomes of the originals/],
  ];
  for (const [words, message] of wrong) t.match(await byHand(...words), { code: 2, stderr: message }, words.join(' '));
});
