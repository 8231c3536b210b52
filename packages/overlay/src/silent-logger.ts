import type { ComponentLogger, Logger } from '@libp2p/interface';

/** libp2p tells all it does in words that peers choose; this node counts and names what matters itself. */
const silent: Logger = Object.assign((): void => {}, {
  error: (): void => {},
  trace: (): void => {},
  enabled: false,
  newScope: (): Logger => silent,
});

export const silentLogger: ComponentLogger = { forComponent: () => silent };
