import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileFilter, type FilterOptions } from '../../src/filter/compile.js';
import { filterFolders, findFilter, listFilters } from '../../src/filter/text/named-filters.js';
import { usesVlan } from '../../src/filter/text/tokens.js';
import { tunnelHint } from '../../src/text/suggest.js';
import { binding } from '../helpers/native.js';

const tools = { native: binding(), folders: filterFolders({ HOME: '/nonexistent' }) };
const expressionOf = (options: FilterOptions): string | undefined => compileFilter(options, tools)?.expression;

t.test('parts are combined with and', async (t) => {
  t.equal(expressionOf({ expressions: ['tcp port 80'] }), 'tcp port 80');
  t.equal(expressionOf({ expressions: ['tcp'], words: { port: ['80'] } }), '(port 80) and (tcp)');
  t.equal(
    expressionOf({ filters: ['dns'], words: { host: ['10.0.0.1'] } }),
    '(host 10.0.0.1) and (port 53 or udp port 5353)',
  );
  t.equal(compileFilter({}, tools), undefined, 'nothing given');
  t.equal(compileFilter({ expressions: ['  '] }, tools), undefined, 'nothing but blanks');
  t.throws(() => compileFilter({ expressions: ['tcp) or (udp'], words: { port: ['80'] } }, tools), {
    code: 'ERR_FILTER_SYNTAX',
  });
});

t.test('the program is ready to be sent', async (t) => {
  const program = compileFilter({ expressions: ['tcp port 80'] }, tools);
  t.equal(program?.vlan, 'any');
  t.equal(program?.extended.length, 8 * (program?.instructions ?? 0));
  t.doesNotThrow(() => tools.native.runExtended(program?.extended as Uint8Array, []));
  t.equal(compileFilter({ expressions: ['tcp'], vlan: 'strict' }, tools)?.vlan, 'strict');
  const literal = compileFilter({ expressions: ['vlan 100 and tcp'] }, tools);
  t.match(literal?.stages, [{ view: 'wire' }], 'vlan in the expression');
  t.not(literal?.extended, literal?.extendedTx, 'tags in the mbuf have other flags on transmit');
});

t.test('vlan is found as a word, not as letters', async (t) => {
  for (const text of ['vlan', 'ip or vlan 100', '(vlan)', 'not vlan&&ip', '!vlan']) t.ok(usesVlan(text), text);
  for (const text of ['tcp', 'host vlan.example.com', 'ether proto \\vlan', 'host my-vlan'])
    t.notOk(usesVlan(text), text);
});

const BAD: [string, string, RegExp][] = [
  ['tcp prt 80', 'tcp prt 80\n      ^^^$', /port/],
  ['udp prot 53', 'udp prot 53\n      ^^^^$', /`proto`/],
  ['tcp port', 'tcp port\n          ^$', /too early/],
  ['host 10.0.0.1 and', 'at its end', /too early/],
  ['tcp port 80)', '             \\^$', /./],
  ['tcp @ 80', '\n      \\^$', /./],
  ['tcp and and udp', '\n          \\^\\^\\^$', /./],
  ['tcp[tcpflags & 2 != 0', '\n                   \\^\\^$', /./],
  ['port htpp', "unknown port 'htpp'[^]*\\^\\^\\^\\^$", /./],
  ['net 10.0.0.1/8', 'non-network bits', /./],
  ['len > 0x1ffffffff', 'overflows 32 bits[^]*\\^{11}$', /./],
  ['tcp and udp', 'rejects all packets', /contradict/],
  ['ip broadcast', 'netmask', /ether broadcast/],
];

t.test('a tunnel’s name leads to --inner, and to a filter there is', async (t) => {
  const names = listFilters(tools.folders).map(({ name }) => name);
  for (const word of ['vxlan', 'gre', 'GRE', 'nvgre', 'erspan', 'gtp', 'gtpu', 'gtp-u', 'ipip', '6in4']) {
    for (const expression of [word, `${word} and tcp`, `tcp and ${word}`, `udp or (${word} and host 10.0.0.1)`]) {
      t.throws(
        () => compileFilter({ expressions: [expression] }, tools),
        { code: 'ERR_FILTER_SYNTAX', message: /./, hint: /--inner .*--filter/ },
        expression,
      );
    }
    t.throws(() => compileFilter({ words: { proto: [word === 'gre' || word === 'GRE' ? 'vxlan' : word] } }, tools), {
      message: /no such protocol/,
      hint: /--inner/,
    });
    t.ok(names.includes(/--filter (\S+)/.exec(tunnelHint(word) ?? '')?.[1] ?? ''), `${word}: the filter exists`);
  }
  t.ok(compileFilter({ expressions: ['geneve'], words: { proto: ['gre'] } }, tools), 'known words stay what they are');
});

t.test('a bad expression: libpcap’s words, the place, a suggestion', async (t) => {
  for (const [expression, picture, hint] of BAD) {
    const message = new RegExp(picture.includes('\\^') ? picture : picture.replaceAll('^', '\\^'));
    t.throws(
      () => compileFilter({ expressions: [expression] }, tools),
      { code: 'ERR_FILTER_SYNTAX', exitCode: 2, message, hint },
      expression,
    );
  }
  for (const expression of ['inbound', 'ip protochain 6']) {
    t.throws(
      () => compileFilter({ expressions: [expression] }, tools),
      { code: 'ERR_FILTER_UNSUPPORTED', exitCode: 2 },
      expression,
    );
  }
});

t.test('named filters', async (t) => {
  for (const { name, description, expression } of listFilters(tools.folders)) {
    t.ok(description && expression, `${name} is described`);
    t.ok(compileFilter({ filters: [name] }, tools), `${name} compiles`);
  }
  t.ok(listFilters(tools.folders).length >= 9);
  t.throws(() => findFilter('sssh', tools.folders), { code: 'ERR_FILTER_UNKNOWN', hint: /`ssh`/ });
  t.throws(() => findFilter('../package.json', tools.folders), { code: 'ERR_FILTER_UNKNOWN' });

  const home = t.testdir({});
  const folder = join(home, 'dpcap', 'filters');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ssh'), '# Mine\n#\n# with more words\n\ntcp port 2222\n');
  writeFileSync(join(folder, 'broken'), 'tcp prt 80\n');
  writeFileSync(join(folder, '.hidden'), 'tcp\n');
  const folders = filterFolders({ XDG_CONFIG_HOME: home, HOME: '/nonexistent' });
  t.match(findFilter('ssh', folders), { expression: 'tcp port 2222', description: 'Mine\n\nwith more words' });
  t.notOk(listFilters(folders).some(({ name }) => name === '.hidden'));
  t.throws(() => compileFilter({ filters: ['broken'] }, { ...tools, folders }), {
    message: /^filter `broken`: .* near `prt`/,
  });
  t.same(filterFolders({ XDG_CONFIG_HOME: 'relative', HOME: '/home/x' })[1], '/home/x/.config/dpcap/filters');
});
