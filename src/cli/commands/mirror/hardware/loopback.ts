/** `dpcap mirror loopback -i PORT on|off`: whether what a port's VFs send each other stays in the NIC. */
import { UsageError } from '../../../../errors.js';
import { mirroringApplication } from '../../../../mirror/agent/application.js';
import { HardwareController } from '../../../../mirror/hardware/controller.js';
import { print, type RawMirrorOptions } from '../options.js';

/** @throws UsageError; DpcapError ERR_PORT_UNSUITABLE when the driver has none, ERR_MIRROR_REFUSED */
export function setLoopback(word: string, raw: RawMirrorOptions): void {
  if (word !== 'on' && word !== 'off') {
    throw new UsageError(`loopback: \`${word}\` is neither on nor off`, { subject: word, hint: 'say on, or off' });
  }
  const [port, second] = raw.interface ?? [];
  if (port === undefined || second !== undefined) {
    throw new UsageError('the loopback of which port?', { hint: 'name one with -i: its number or device name' });
  }
  const controller = new HardwareController(mirroringApplication(raw.filePrefix));
  const name = controller.loopback(port, word === 'on');
  print(raw, { effect: 'set', port: name, loopback: word }, [
    `the loopback of port ${name} is ${word}, for the PF and all its VFs, until it is switched again or the port is reset`,
  ]);
}
