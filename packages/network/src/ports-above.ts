import type { Ports } from '@tequio/kernel';

/**
 * The same ports, to be changed by a subclass in some places. Asked for one by one, for the ports below may make each
 * only when it is first used.
 */
export class PortsAbove implements Ports {
  protected readonly below: Ports;

  constructor(below: Ports) {
    this.below = below;
  }

  get clock(): Ports['clock'] {
    return this.below.clock;
  }

  get entropy(): Ports['entropy'] {
    return this.below.entropy;
  }

  get hashes(): Ports['hashes'] {
    return this.below.hashes;
  }

  get signatures(): Ports['signatures'] {
    return this.below.signatures;
  }

  get keyAgreement(): Ports['keyAgreement'] {
    return this.below.keyAgreement;
  }

  get tcp(): Ports['tcp'] {
    return this.below.tcp;
  }

  get udp(): Ports['udp'] {
    return this.below.udp;
  }

  get networks(): Ports['networks'] {
    return this.below.networks;
  }

  get resolver(): Ports['resolver'] {
    return this.below.resolver;
  }

  get http(): Ports['http'] {
    return this.below.http;
  }

  get httpServer(): Ports['httpServer'] {
    return this.below.httpServer;
  }

  get disk(): Ports['disk'] {
    return this.below.disk;
  }

  get files(): Ports['files'] {
    return this.below.files;
  }

  get database(): Ports['database'] {
    return this.below.database;
  }

  get log(): Ports['log'] {
    return this.below.log;
  }
}
