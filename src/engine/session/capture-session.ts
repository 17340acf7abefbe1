/** What a capture needs of the session that it is part of: with a primary that is joined, with an agent, with a file. */
import type { CaptureBinding } from '../../native/capture-binding.js';
import type { Way } from '../../native/errors.js';
import type { Reception } from '../../primary/telemetry.js';
import type { Session } from './attachment.js';

export type CaptureSession = Omit<Pick<Session, keyof Session>, 'addon' | 'abandon'> & {
  readonly addon: CaptureBinding;
  readonly way: Way;
  /** Has attach() wait no longer for what may never come. */
  interrupt?(): void;
  /** What a port has received and missed up to now, where its application tells it. */
  receptionOf?(port: number): Reception | undefined;
};
