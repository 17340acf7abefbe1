/** Long expressions are judged before libpcap is left alone with them. */
import t from 'tap';
import { compileFilter } from '../../../src/filter/compile.js';
import { binding } from '../../helpers/native.js';

const hosts = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`);

/** What was said, and how many texts of more than 20 kB libpcap was asked to compile. */
function attempt(expressions: string[]): { said: string[]; error: Error | undefined; long: number } {
  const said: string[] = [];
  let long = 0;
  const native = {
    ...binding(),
    compileFilter: (text: string, optimize?: boolean) => {
      if (text.length > 20_000) long++;
      return binding().compileFilter(text, optimize);
    },
    // The verifier is not what this is about.
    verifyExtended: () => {},
  };
  try {
    compileFilter({ expressions }, { native, announce: (line) => said.push(line) });
    return { said, error: undefined, long };
  } catch (error) {
    return { said, error: error as Error, long };
  }
}

t.test('a thousand hosts are refused before libpcap sees all of them', async (t) => {
  for (const text of [
    hosts(1000)
      .map((one) => `host ${one}`)
      .join(' or '),
    `host ${hosts(2000).join(' or ')}`,
  ]) {
    const { said, error, long } = attempt([text]);
    t.match(error, { code: 'ERR_FILTER_UNSUPPORTED', exitCode: 2, message: /too long: about \d+/, hint: /--host/ });
    t.same([said, long], [[], 0]);
  }
  // Two parts are compiled as one.
  const half = hosts(450).map((one) => `host ${one}`);
  t.match(attempt([half.join(' or '), half.join(' || ')]).error, { code: 'ERR_FILTER_UNSUPPORTED' });
});

t.test('what takes a while is announced, what does not is not', async (t) => {
  const { said, error } = attempt([
    hosts(170)
      .map((one) => `host ${one}`)
      .join(' or '),
  ]);
  t.equal(error, undefined);
  t.match(said, [/compiling the filter, which may take up to \d+ s/]);
  for (const text of [
    'tcp port 80',
    hosts(60)
      .map((one) => `host ${one}`)
      .join(' or '),
  ])
    t.same(attempt([text]).said, []);
  t.same(attempt([]).said, []);
});

t.test('a mistake in a long list is told, without its place', async (t) => {
  const text = `${hosts(300)
    .map((one) => `host ${one}`)
    .join(' or ')} or or tcp`;
  t.match(attempt([text]).error, { code: 'ERR_FILTER_SYNTAX', message: /somewhere in its \d+ words/ });
  const short = `${hosts(50)
    .map((one) => `host ${one}`)
    .join(' or ')} or or tcp`;
  t.match(attempt([short]).error, { code: 'ERR_FILTER_SYNTAX', message: /near `or`/ });
});
