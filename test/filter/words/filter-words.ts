import t from 'tap';
import { compileWords, type FilterWords } from '../../../src/filter/words/filter-words.js';
import { PROTOCOLS } from '../../../src/filter/words/word-values.js';
import { binding } from '../../helpers/native.js';

const GOOD: [FilterWords, string | undefined][] = [
  [{}, undefined],
  [{ host: [] }, undefined],
  [{ host: ['10.0.0.1'] }, 'host 10.0.0.1'],
  [{ host: ['2001:db8::1'] }, 'host 2001:db8::1'],
  [{ host: ['10.0.0.1', '10.0.0.2'] }, '(host 10.0.0.1 or host 10.0.0.2)'],
  [{ host: ['10.0.0.1', '10.0.0.1'] }, 'host 10.0.0.1'],
  [{ srcHost: ['fe80::1'], dstHost: ['::1'] }, 'src host fe80::1 and dst host ::1'],
  [{ net: ['10.0.0.0/8', '2001:db8::/32'] }, '(net 10.0.0.0/8 or net 2001:db8::/32)'],
  [{ net: ['0.0.0.0/0'] }, 'net 0.0.0.0/0'],
  [{ net: ['::ffff:1.2.0.0/112'] }, 'net ::ffff:1.2.0.0/112'],
  [{ proto: ['tcp'], port: ['80'] }, 'tcp and port 80'],
  [{ proto: ['ICMP'] }, 'icmp'],
  [{ proto: ['gre'] }, 'proto 47'],
  [{ proto: ['132'] }, 'proto 132'],
  [{ port: ['80-90'] }, 'portrange 80-90'],
  [{ port: ['0080'] }, 'port 80'],
  [{ port: ['http'] }, 'port http'],
  [{ srcPort: ['53'], dstPort: ['1024-65535'] }, 'src port 53 and dst portrange 1024-65535'],
];

const BAD: [FilterWords, RegExp, RegExp][] = [
  [{ host: ['10.0.0'] }, /--host `10\.0\.0`: not an IPv4/, /10\.0\.0\.1/],
  [{ host: ['10.0.0.256'] }, /not an IPv4/, /./],
  [{ host: ['10.0.0.0/8'] }, /network/, /--net 10\.0\.0\.0\/8/],
  [{ host: ['example.com'] }, /names are not looked up/, /getent/],
  [{ host: ['fe80::1%eth0'] }, /zone/, /fe80::1$/],
  [{ srcHost: [''] }, /--src-host/, /./],
  [{ host: ['10.0.0.1 or tcp'] }, /--host/, /./],
  [{ net: ['10.0.0.0'] }, /prefix length is missing/, /\/24/],
  [{ net: ['10.1.0.0/8'] }, /bits after the prefix/, /10\.0\.0\.0\/8/],
  [{ net: ['2001:db8:1::/32'] }, /bits after the prefix/, /2001:db8::\/32/],
  [{ net: ['10.0.0.0/33'] }, /0 to 32/, /./],
  [{ net: ['foo/8'] }, /not a network/, /./],
  [{ proto: ['tpc'] }, /no such protocol/, /`tcp`/],
  [{ proto: ['256'] }, /no such protocol/, /./],
  [{ proto: ['constructor'] }, /no such protocol/, /./],
  [{ port: ['65536'] }, /0 to 65535/, /./],
  [{ port: ['90-80'] }, /backwards/, /80-90/],
  [{ port: ['1-70000'] }, /0 to 65535/, /./],
  [{ port: ['htpp'] }, /no such service/, /`http`/],
  [{ dstPort: ['-1'] }, /--dst-port/, /./],
];

t.test('words become expressions that libpcap takes', async (t) => {
  for (const [words, expected] of GOOD) {
    t.equal(compileWords(words)?.text, expected, JSON.stringify(words));
    if (expected) t.ok(binding().compileFilter(expected).length > 0);
  }
  for (const name of Object.keys(PROTOCOLS))
    t.ok(binding().compileFilter(compileWords({ proto: [name] })?.text as string));
});

t.test('mistakes are named, with a remedy', async (t) => {
  for (const [words, message, hint] of BAD) {
    t.throws(() => compileWords(words), { message, hint, exitCode: 2 }, JSON.stringify(words));
  }
});
