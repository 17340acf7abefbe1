/** Bytes of the fake's replies, laid out by dpvs.md alone. */
import type { DialectName, FakePort, Switch } from './fake-dpvs.js';

export function basic(port: FakePort, dialect: DialectName): Buffer {
  const body = Buffer.alloc(128);
  const old = dialect === 'A';
  body.write(port.name.slice(0, 31), old ? 2 : 0, 'latin1');
  body.write(port.mac, old ? 36 : 32, 'latin1');
  body.write(port.link ? 'UP' : 'DOWN', old ? 76 : 64, 'latin1');
  body.write('full-duplex', old ? 92 : 80, 'latin1');
  body.write('auto-nego', old ? 108 : 96, 'latin1');
  body.writeUInt32LE(10000, old ? 72 : 112);
  body.writeUInt8(1, old ? 34 : 116);
  body.writeUInt8(1, old ? 35 : 117);
  body.writeUInt16LE(port.id, old ? 0 : 122);
  body.writeUInt16LE(1500, old ? 70 : 124);
  const names: Switch[] = old
    ? ['promisc', 'forward2kni', 'tcEgress', 'tcIngress']
    : ['promisc', 'allmulticast', 'forward2kni', 'tcEgress', 'tcIngress'];
  const flags = names.reduce((word, name, i) => word | (port[name] ? 1 << i : 0), old ? 0x00f0 : 0x05e0);
  body.writeUInt16LE(flags | (port.lldp && !old ? 0x0200 : 0), old ? 124 : 126);
  return body;
}

export function bondStatus(slaves: string[]): Buffer {
  const body = Buffer.alloc(2392);
  body.writeInt32LE(4, 0);
  body.writeInt32LE(slaves.length, 4);
  body.writeInt32LE(slaves.length, 8);
  slaves.forEach((name, i) => {
    body.write(name, 12 + 72 * i, 'latin1');
  });
  return body;
}

/** Header and body of a reply. */
export function header(request: { id: number; type: number }, errcode: number, body: Buffer): Buffer {
  const head = Buffer.alloc(88);
  head.writeUInt32LE(0x00010000, 0);
  head.writeUInt32LE(request.id, 4);
  head.writeUInt32LE(request.type, 8);
  head.writeInt32LE(errcode, 12);
  head.write(errcode === 0 ? 'OK' : errcode === -4 ? 'not exist' : 'invalid parameter', 16, 'latin1');
  head.writeBigUInt64LE(BigInt(errcode === 0 ? body.length : 0), 80);
  return Buffer.concat([head, body]);
}

export function padded(text: string, size: number): Buffer {
  const field = Buffer.alloc(size);
  field.write(text, 'latin1');
  return field;
}

export function cString(body: Buffer): string {
  const end = body.indexOf(0);
  return body.subarray(0, end === -1 ? undefined : end).toString('latin1');
}
