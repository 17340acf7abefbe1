/**
 * The reference for `--inner`: finds the packet inside a tunnel, written apart from src/filter/codegen/decapsulate.ts and from the
 * RFCs: 7348 VXLAN, 8926 Geneve, 2784 and 2890 GRE, 7637 NVGRE, ERSPAN drafts, 2003 and 2473 IP in IP, 3032, 4023 and 4385
 * MPLS, 3GPP 29.281 GTP-U.
 */

/** What was found, and where it begins in the outer packet. */
export interface Found {
  kind: 'ethernet' | 'ipv4' | 'ipv6';
  at: number;
}

/** Thrown when a header is cut off. */
class Short extends Error {}

class Reader {
  constructor(
    readonly bytes: Uint8Array,
    readonly start: number,
  ) {}
  u8(offset: number): number {
    const value = this.bytes[this.start + offset];
    if (value === undefined) throw new Short();
    return value;
  }
  u16(offset: number): number {
    return this.u8(offset) * 256 + this.u8(offset + 1);
  }
  skip(bytes: number): Reader {
    return new Reader(this.bytes, this.start + bytes);
  }
  as(kind: Found['kind']): Found {
    return { kind, at: this.start };
  }
}

const TAGS = [0x8100, 0x88a8, 0x9100];

/** Behind at most five tags: the last 14 bytes of the Ethernet header begin there. */
function behindTags(frame: Reader): Reader {
  let here = frame;
  for (let tags = 0; tags < 5 && TAGS.includes(here.u16(12)); tags++) here = here.skip(4);
  here.u16(12);
  return here;
}

function fromEthernet(frame: Reader): Found | undefined {
  const head = behindTags(frame);
  return fromType(head.u16(12), head.skip(14));
}

function fromType(type: number, payload: Reader): Found | undefined {
  if (type === 0x0800) return fromIpv4(payload);
  if (type === 0x86dd) return fromProtocol(payload.u8(6), payload.skip(40));
  return type === 0x8847 || type === 0x8848 ? fromMpls(payload) : undefined;
}

function fromIpv4(ip: Reader): Found | undefined {
  if (ip.u16(6) % 0x2000 !== 0) return undefined;
  return fromProtocol(ip.u8(9), ip.skip((ip.u8(0) % 16) * 4));
}

function fromProtocol(protocol: number, payload: Reader): Found | undefined {
  switch (protocol) {
    case 4:
      return payload.as('ipv4');
    case 41:
      return payload.as('ipv6');
    case 137:
      return fromMpls(payload);
    case 47:
      return fromGre(payload);
    case 17:
      return fromUdp(payload);
    default:
      return undefined;
  }
}

function fromUdp(udp: Reader): Found | undefined {
  const body = udp.skip(8);
  switch (udp.u16(2)) {
    case 4789:
      return (body.u8(0) & 8) === 0 ? undefined : body.skip(8).as('ethernet');
    case 6081:
      return fromGeneve(body);
    case 2152:
      return fromGtp(body);
    default:
      return undefined;
  }
}

function fromGeneve(head: Reader): Found | undefined {
  if (head.u8(0) >= 64) return undefined;
  return byType(head.u16(2), head.skip(8 + head.u8(0) * 4));
}

function byType(type: number, payload: Reader): Found | undefined {
  if (type === 0x0800) return payload.as('ipv4');
  if (type === 0x86dd) return payload.as('ipv6');
  return type === 0x6558 ? payload.as('ethernet') : undefined;
}

function byVersion(ip: Reader): Found | undefined {
  const version = ip.u8(0) >> 4;
  if (version === 4) return ip.as('ipv4');
  return version === 6 ? ip.as('ipv6') : undefined;
}

function fromGtp(head: Reader): Found | undefined {
  const flags = head.u8(0);
  if (flags >> 4 !== 3 || head.u8(1) !== 255) return undefined;
  if ((flags & 7) === 0) return byVersion(head.skip(8));
  if ((flags & 4) === 0) return byVersion(head.skip(12));
  let next = head.u8(11);
  let here = head.skip(12);
  for (let count = 0; next !== 0; count++) {
    const bytes = count === 4 ? 0 : here.u8(0) * 4;
    if (bytes === 0) return undefined;
    next = here.u8(bytes - 1);
    here = here.skip(bytes);
  }
  return byVersion(here);
}

function fromGre(gre: Reader): Found | undefined {
  const flags = gre.u16(0);
  if ((flags & 7) !== 0 || (flags & 0x4000) !== 0) return undefined;
  const type = gre.u16(2);
  const optional = [0x8000, 0x2000, 0x1000].filter((flag) => (flags & flag) !== 0).length;
  const body = gre.skip(4 + 4 * optional);
  if (type === 0x8847 || type === 0x8848) return fromMpls(body);
  if (type === 0x88be) return body.skip((flags & 0x1000) === 0 ? 0 : 8).as('ethernet');
  if (type === 0x22eb) return body.skip((body.u8(11) & 1) === 0 ? 12 : 20).as('ethernet');
  return byType(type, body);
}

function fromMpls(stack: Reader): Found | undefined {
  let here = stack;
  for (let labels = 1; (here.u8(2) & 1) === 0; labels++) {
    if (labels === 8) return undefined;
    here = here.skip(4);
  }
  const payload = here.skip(4);
  return payload.u8(0) >> 4 === 0 ? payload.skip(4).as('ethernet') : byVersion(payload);
}

/** One tunnel deeper. */
function deeper(bytes: Uint8Array, { kind, at }: Found): Found | undefined {
  const here = new Reader(bytes, at);
  if (kind === 'ethernet') return fromEthernet(here);
  return fromType(kind === 'ipv4' ? 0x0800 : 0x86dd, here);
}

/**
 * The packet inside `depth` tunnels as a frame; bare IP gets an Ethernet header with empty addresses. Undefined when there
 * is none, or not even its ethertype is complete.
 */
export function innerFrame(bytes: Uint8Array, depth: number): { frame: Uint8Array; bare: boolean } | undefined {
  try {
    let found: Found | undefined = { kind: 'ethernet', at: 0 };
    for (let level = 0; level < depth && found; level++) found = deeper(bytes, found);
    if (!found) return undefined;
    if (found.kind === 'ethernet') {
      behindTags(new Reader(bytes, found.at));
      return { frame: bytes.slice(found.at), bare: false };
    }
    new Reader(bytes, found.at).u8(0);
    const type = found.kind === 'ipv4' ? [0x08, 0x00] : [0x86, 0xdd];
    return { frame: Uint8Array.from([...new Array(12).fill(0), ...type, ...bytes.slice(found.at)]), bare: true };
  } catch (error) {
    if (error instanceof Short) return undefined;
    throw error;
  }
}
