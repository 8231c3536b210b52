/** A home router in the simulated world, that speaks what a test wants it to, and makes the mistakes that it wants. */
import {
  addressToBytes,
  concatBytes,
  type Endpoint,
  encodeUtf8,
  type IpAddress,
  isIpv6,
  readUint16,
  readUint32,
  toLatin1,
  type UdpSocket,
  writeUint16,
  writeUint32,
} from '@tequio/kernel';
import type { HostPorts } from '@tequio/simulator';

export type FakeRouterOptions = {
  readonly protocols: readonly ('pcp' | 'nat-pmp' | 'upnp')[];
  /** Of WANIPConnection; 0: WANPPPConnection. */
  readonly igdVersion?: 0 | 1 | 2;
  readonly externalAddress?: IpAddress;
  /** UPnP: no leases, as many old routers. */
  readonly onlyPermanent?: boolean;
  /** `tcp:27272`: taken by another machine. */
  readonly taken?: readonly string[];
  /** Result of every PCP and NAT-PMP mapping. */
  readonly mapResult?: number;
  /** Seconds granted at most. */
  readonly leaseMax?: number;
  /** Where a search is told to look; by default here. */
  readonly location?: string;
};

type Mapping = { client: IpAddress; internalPort: number; untilMs: number; nonce: string };

const httpPort = 5000;

export class FakeRouter {
  readonly host: HostPorts;
  readonly options: FakeRouterOptions;
  externalAddress: IpAddress;
  /** `tcp:EXTERNAL` to what it leads to. */
  readonly mappings = new Map<string, Mapping>();
  /** Names of the actions and requests that came, in order. */
  readonly asked: string[] = [];
  isOn = true;
  #bootMs: number;
  #sockets: UdpSocket[] = [];
  #nextPinhole = 1;
  readonly #pinholes = new Map<number, string>();

  private constructor(host: HostPorts, options: FakeRouterOptions) {
    this.host = host;
    this.options = options;
    this.externalAddress = options.externalAddress ?? ('8.8.4.4' as IpAddress);
    this.#bootMs = host.clock.nowMs();
  }

  static async start(host: HostPorts, options: FakeRouterOptions): Promise<FakeRouter> {
    const router = new FakeRouter(host, options);
    await router.#listen();
    return router;
  }

  /** `tcp 27272 -> 192.168.1.2:27272`, leases that have ended left out. */
  get list(): readonly string[] {
    const nowMs = this.host.clock.nowMs();
    return [...this.mappings]
      .filter(([, { untilMs }]) => untilMs > nowMs)
      .map(([key, { client, internalPort }]) => `${key} -> ${client} ${internalPort}`)
      .sort();
  }

  /** Power off: nothing is answered and everything forgotten. */
  turnOff(): void {
    this.isOn = false;
    this.mappings.clear();
    this.#pinholes.clear();
  }

  turnOn(): void {
    this.isOn = true;
    this.#bootMs = this.host.clock.nowMs();
  }

  /** Makes its clock differ by so much more. */
  skip(ms: number): void {
    this.#bootMs -= ms;
  }

  async #listen(): Promise<void> {
    for (const address of this.host.host.addresses) {
      const ipv6 = isIpv6(address);
      const control = await this.host.udp.bind({ address, port: 5351 }, (bytes, from) => {
        const answer = this.isOn ? this.#answerDatagram(bytes, from) : null;
        if (answer !== null) control.send(answer, from);
      });
      const group = (ipv6 ? 'ff02::c' : '239.255.255.250') as IpAddress;
      const search = await this.host.udp.bind(
        { address: null, port: 1900, ipv6, multicast: { group, interface: null } },
        (bytes, from) => {
          const answer = this.isOn ? this.#answerSearch(bytes, address) : null;
          if (answer !== null) search.send(answer, from);
        },
      );
      this.#sockets.push(control, search);
    }
    await this.host.tcp.listen({ address: null, port: httpPort }, (connection) => {
      let text = '';
      return {
        onBytes: (bytes) => {
          text += toLatin1(bytes);
          const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
          const bodyAt = text.indexOf('\r\n\r\n') + 4;
          if (bodyAt < 4 || text.length < bodyAt + length || !this.isOn) return;
          connection.write([encodeUtf8(this.#answerHttp(text, connection.local.address))]);
          connection.end();
        },
        onClose: () => {},
      };
    });
  }

  get #epochSeconds(): number {
    return Math.floor((this.host.clock.nowMs() - this.#bootMs) / 1000);
  }

  /** The external port that a wish gets: the next free one. */
  #place(transport: string, wish: number, client: IpAddress, internalPort: number): number {
    for (let port = wish; ; port++) {
      const key = `${transport}:${port}`;
      const old = this.mappings.get(key);
      const isOwn = old?.client === client && old.internalPort === internalPort;
      if (!this.options.taken?.includes(key) && (old === undefined || isOwn)) return port;
    }
  }

  #keep(
    transport: string,
    port: number,
    client: IpAddress,
    internalPort: number,
    seconds: number,
    nonce = '',
  ): void {
    const untilMs = seconds === 0 ? Number.POSITIVE_INFINITY : this.host.clock.nowMs() + seconds * 1000;
    this.mappings.set(`${transport}:${port}`, { client, internalPort, untilMs, nonce });
  }

  #remove(transport: string, client: IpAddress, internalPort: number): void {
    for (const [key, mapping] of this.mappings) {
      if (key.startsWith(transport) && mapping.client === client && mapping.internalPort === internalPort) {
        this.mappings.delete(key);
      }
    }
  }

  #answerDatagram(bytes: Uint8Array, from: Endpoint): Uint8Array | null {
    const { protocols } = this.options;
    if (bytes[0] === 2)
      return protocols.includes('pcp') ? this.#answerPcp(bytes, from) : this.#refuseVersion(bytes);
    return protocols.includes('nat-pmp') ? this.#answerNatPmp(bytes, from) : null;
  }

  /** RFC 6886, section 3.5: what a NAT-PMP server says to a version that it does not know. */
  #refuseVersion(bytes: Uint8Array): Uint8Array | null {
    if (!this.options.protocols.includes('nat-pmp')) return null;
    const answer = new Uint8Array(8);
    answer[1] = 0x80 | bytes[1]!;
    writeUint16(answer, 2, 1);
    writeUint32(answer, 4, this.#epochSeconds);
    return answer;
  }

  #answerPcp(bytes: Uint8Array, from: Endpoint): Uint8Array {
    const answer = new Uint8Array(bytes);
    answer[1] = 0x80 | bytes[1]!;
    answer.fill(0, 8, 24);
    writeUint32(answer, 8, this.#epochSeconds);
    this.asked.push(bytes[1] === 0 ? 'pcp announce' : 'pcp map');
    if (bytes[1] === 0) return answer;
    const result = this.options.mapResult ?? 0;
    answer[3] = result;
    const lifetime = Math.min(readUint32(bytes, 4), this.options.leaseMax ?? 7200);
    writeUint32(answer, 4, lifetime);
    const transport = bytes[36] === 6 ? 'tcp' : 'udp';
    const internalPort = readUint16(bytes, 40);
    if (result !== 0) return answer;
    if (lifetime === 0) this.#remove(transport, from.address, internalPort);
    else {
      const isPinhole = isIpv6(from.address);
      const port = isPinhole
        ? internalPort
        : this.#place(transport, readUint16(bytes, 42), from.address, internalPort);
      this.#keep(transport, port, from.address, internalPort, lifetime, toLatin1(bytes.subarray(24, 36)));
      writeUint16(answer, 42, port);
      const external = addressToBytes(isPinhole ? from.address : this.externalAddress);
      answer.fill(0, 44, 60);
      if (external.length === 4) answer.fill(255, 54, 56);
      answer.set(external, 60 - external.length);
    }
    return answer;
  }

  #answerNatPmp(bytes: Uint8Array, from: Endpoint): Uint8Array {
    const answer = new Uint8Array(bytes[1] === 0 ? 12 : 16);
    answer[1] = 0x80 | bytes[1]!;
    writeUint32(answer, 4, this.#epochSeconds);
    this.asked.push(bytes[1] === 0 ? 'nat-pmp address' : 'nat-pmp map');
    if (bytes[1] === 0) {
      answer.set(addressToBytes(this.externalAddress), 8);
      return answer;
    }
    writeUint16(answer, 2, this.options.mapResult ?? 0);
    const transport = bytes[1] === 2 ? 'tcp' : 'udp';
    const internalPort = readUint16(bytes, 4);
    const lifetime = Math.min(readUint32(bytes, 8), this.options.leaseMax ?? 7200);
    writeUint16(answer, 8, internalPort);
    writeUint32(answer, 12, lifetime);
    if (lifetime === 0) this.#remove(transport, from.address, internalPort);
    else if (this.options.mapResult === undefined) {
      const port = this.#place(transport, readUint16(bytes, 6), from.address, internalPort);
      this.#keep(transport, port, from.address, internalPort, lifetime);
      writeUint16(answer, 10, port);
    }
    return answer;
  }

  #answerSearch(bytes: Uint8Array, own: IpAddress): Uint8Array | null {
    const target = /^ST: (.*)\r$/m.exec(toLatin1(bytes))?.[1];
    if (!this.options.protocols.includes('upnp') || !target?.includes('InternetGatewayDevice:1')) return null;
    const location =
      this.options.location ?? `http://${isIpv6(own) ? `[${own}]` : own}:${httpPort}/rootDesc.xml`;
    return encodeUtf8(
      `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: ${target}\r\nUSN: uuid:1::${target}\r\nEXT:\r\n` +
        `SERVER: Fake/1 UPnP/1.1\r\nLOCATION: ${location}\r\n\r\n`,
    );
  }

  #answerHttp(request: string, own: IpAddress): string {
    if (request.startsWith('GET ')) return httpOf(200, this.#description(isIpv6(own)));
    const action = /^soapaction: "[^#]*#(\w+)"/im.exec(request)?.[1] ?? '';
    this.asked.push(action);
    const value = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(request)?.[1] ?? '';
    const answer = this.#act(action, value);
    if (typeof answer === 'number') return httpOf(500, soapError(answer));
    const values = Object.entries(answer).map(([name, text]) => `<${name}>${text}</${name}>`);
    return httpOf(
      200,
      `<s:Envelope><s:Body><u:${action}Response>${values.join('')}</u:${action}Response></s:Body></s:Envelope>`,
    );
  }

  /** The answer's values, or the number of an error. */
  #act(action: string, value: (name: string) => string): Record<string, string | number> | number {
    const transport = value('NewProtocol').toLowerCase();
    const external = Number(value('NewExternalPort'));
    const key = `${transport}:${external}`;
    switch (action) {
      case 'GetExternalIPAddress':
        return { NewExternalIPAddress: this.externalAddress };
      case 'AddAnyPortMapping':
      case 'AddPortMapping':
        return this.#addMapping(action === 'AddAnyPortMapping', transport, external, value);
      case 'GetSpecificPortMappingEntry': {
        const mapping = this.mappings.get(key);
        return mapping === undefined
          ? 714
          : { NewInternalPort: mapping.internalPort, NewInternalClient: mapping.client, NewEnabled: 1 };
      }
      case 'DeletePortMapping':
        return this.mappings.delete(key) ? {} : 714;
      case 'GetFirewallStatus':
        return { FirewallEnabled: 1, InboundPinholeAllowed: 1 };
      case 'AddPinhole': {
        const [client, port] = [value('InternalClient') as IpAddress, Number(value('InternalPort'))];
        const name = value('Protocol') === '6' ? 'tcp' : 'udp';
        this.#keep(name, port, client, port, Number(value('LeaseTime')));
        this.#pinholes.set(this.#nextPinhole, `${name}:${port}`);
        return { UniqueID: this.#nextPinhole++ };
      }
      case 'UpdatePinhole':
        return this.#renewPinhole(Number(value('UniqueID')), Number(value('NewLeaseTime')));
      case 'DeletePinhole': {
        const hole = this.#pinholes.get(Number(value('UniqueID')));
        return hole !== undefined && this.mappings.delete(hole) ? {} : 704;
      }
      default:
        return 401;
    }
  }

  #renewPinhole(id: number, lease: number): Record<string, number> | 704 {
    const [transport, port] = this.#pinholes.get(id)?.split(':') ?? [];
    const old = this.mappings.get(`${transport}:${port}`);
    if (old === undefined || old.untilMs <= this.host.clock.nowMs()) return 704;
    this.#keep(transport!, Number(port), old.client, old.internalPort, lease);
    return {};
  }

  #addMapping(
    isAny: boolean,
    transport: string,
    external: number,
    value: (name: string) => string,
  ): Record<string, number> | number {
    const { igdVersion = 2, onlyPermanent, taken } = this.options;
    const lease = Number(value('NewLeaseDuration'));
    const client = value('NewInternalClient') as IpAddress;
    const internal = Number(value('NewInternalPort'));
    if (isAny && igdVersion < 2) return 401;
    if (onlyPermanent && lease !== 0) return 725;
    if (!isAny && taken?.includes(`${transport}:${external}`)) return 718;
    const port = isAny ? this.#place(transport, external, client, internal) : external;
    this.#keep(transport, port, client, internal, lease);
    return isAny ? { NewReservedPort: port } : {};
  }

  #description(ipv6: boolean): string {
    const { igdVersion = 2 } = this.options;
    const service = (type: string): string =>
      `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><controlURL>/ctl/${type}</controlURL></service>`;
    const connection = igdVersion === 0 ? 'WANPPPConnection:1' : `WANIPConnection:${igdVersion}`;
    const services = service(connection) + (ipv6 ? service('WANIPv6FirewallControl:1') : '');
    return (
      `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>` +
      `<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><manufacturer>Fake</manufacturer>` +
      `<modelName>Router &amp; Co</modelName><deviceList><device><serviceList>${service('WANCommonInterfaceConfig:1')}` +
      `${services}</serviceList></device></deviceList></device></root>`
    );
  }
}

function httpOf(status: number, body: string): string {
  const length = concatBytes([encodeUtf8(body)]).length;
  return `HTTP/1.1 ${status} Whatever\r\nContent-Type: text/xml\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

function soapError(code: number): string {
  return (
    `<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><detail><UPnPError>` +
    `<errorCode>${code}</errorCode><errorDescription>No</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>`
  );
}
