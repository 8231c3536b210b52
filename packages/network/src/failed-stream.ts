import {
  type Clock,
  type Endpoint,
  type IpAddress,
  isIpv6,
  type StreamConnection,
  type StreamHandler,
} from '@tequio/kernel';

/** A dial that fails for this reason, at once but not from inside the call: nothing is sent. */
export function failedDial(
  clock: Clock,
  to: Endpoint,
  reason: string,
  handler: Pick<StreamHandler, 'onClose'>,
): StreamConnection {
  const unspecified = (isIpv6(to.address) ? '::' : '0.0.0.0') as IpAddress;
  clock.setTimer(0, () => handler.onClose(reason));
  return {
    remote: to,
    local: { address: unspecified, port: 0 },
    queuedBytes: 0,
    write: () => {},
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
  };
}
