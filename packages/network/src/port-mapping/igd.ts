/**
 * What a UPnP Internet Gateway Device is asked, and what it answers: its description (services and where they are
 * controlled) and the SOAP actions of WANIPConnection 1 and 2, WANPPPConnection 1 and WANIPv6FirewallControl 1.
 */
import { type Fault, failed, type IpAddress, ok, type Result, tryParseAddress } from '@tequio/kernel';
import { protocolNumbers, routerFault, type Transport } from './mapping.ts';
import { childText, escapeXml, findElement, parseXml, type XmlElement } from './xml.ts';

export const igdLimits = {
  /** Services of one device that are looked at. */
  serviceCount: 32,
  /** Characters of a model name, and of an error text, that are shown to the user. */
  shownCharacters: 80,
  urlCharacters: 512,
} as const;

export type IgdService = {
  /** `urn:schemas-upnp-org:service:WANIPConnection:2`. */
  readonly type: string;
  /** `WANIPConnection`, 2. */
  readonly name: string;
  readonly version: number;
  /** Absolute, or relative to the address of the description; not checked. */
  readonly controlUrl: string;
};

export type IgdDescription = {
  /** For the user; a router's own words, cut to length. */
  readonly model: string;
  readonly services: readonly IgdService[];
};

/** Faults: those of XML, and `NETWORK_IGD_NONE` when it describes no gateway. */
export function decodeIgdDescription(text: string): Result<IgdDescription> {
  const xml = parseXml(text);
  if (!xml.ok) return xml;
  const services: IgdService[] = [];
  collectServices(xml.value, services);
  const device = findElement(xml.value, 'device');
  if (device === null || services.length === 0) return failed(noGateway);
  const model = ['manufacturer', 'modelName', 'modelNumber'].map((name) => childText(device, name));
  return ok({ model: toShown(model.filter((part) => part !== '').join(' ')), services });
}

const servicesOfUse = new Set(['WANIPConnection', 'WANPPPConnection', 'WANIPv6FirewallControl']);

function collectServices(element: XmlElement, into: IgdService[]): void {
  if (element.name === 'service' && into.length < igdLimits.serviceCount) {
    const type = childText(element, 'serviceType');
    const controlUrl = childText(element, 'controlURL');
    const parts = /^urn:schemas-upnp-org:service:(\w{1,64}):(\d{1,2})$/.exec(type);
    const isOfUse = parts !== null && servicesOfUse.has(parts[1]!);
    if (isOfUse && controlUrl !== '' && controlUrl.length <= igdLimits.urlCharacters) {
      into.push({ type, name: parts[1]!, version: Number(parts[2]), controlUrl });
    }
  }
  for (const child of element.children) collectServices(child, into);
}

/** An action with its arguments, in the order that the standard gives them (some routers insist). */
export type IgdAction = { readonly name: string; readonly values: Readonly<Record<string, string | number>> };

type MappingValues = {
  readonly transport: Transport;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly client: IpAddress;
  readonly leaseSeconds: number;
  readonly description: string;
};

export const igdActions = {
  externalAddress: (): IgdAction => ({ name: 'GetExternalIPAddress', values: {} }),

  /** Version 1: exactly this external port. Version 2 has the same arguments and may choose another. */
  addMapping: (mapping: MappingValues, isAny: boolean): IgdAction => ({
    name: isAny ? 'AddAnyPortMapping' : 'AddPortMapping',
    values: {
      NewRemoteHost: '',
      NewExternalPort: mapping.externalPort,
      NewProtocol: mapping.transport.toUpperCase(),
      NewInternalPort: mapping.internalPort,
      NewInternalClient: mapping.client,
      NewEnabled: 1,
      NewPortMappingDescription: mapping.description,
      NewLeaseDuration: mapping.leaseSeconds,
    },
  }),

  getMapping: (transport: Transport, externalPort: number): IgdAction => ({
    name: 'GetSpecificPortMappingEntry',
    values: { NewRemoteHost: '', NewExternalPort: externalPort, NewProtocol: transport.toUpperCase() },
  }),

  deleteMapping: (transport: Transport, externalPort: number): IgdAction => ({
    name: 'DeletePortMapping',
    values: { NewRemoteHost: '', NewExternalPort: externalPort, NewProtocol: transport.toUpperCase() },
  }),

  firewallStatus: (): IgdAction => ({ name: 'GetFirewallStatus', values: {} }),

  addPinhole: (transport: Transport, port: number, client: IpAddress, leaseSeconds: number): IgdAction => ({
    name: 'AddPinhole',
    values: {
      RemoteHost: '',
      RemotePort: 0,
      InternalClient: client,
      InternalPort: port,
      Protocol: protocolNumbers[transport],
      LeaseTime: leaseSeconds,
    },
  }),

  updatePinhole: (id: number, leaseSeconds: number): IgdAction => ({
    name: 'UpdatePinhole',
    values: { UniqueID: id, NewLeaseTime: leaseSeconds },
  }),

  deletePinhole: (id: number): IgdAction => ({ name: 'DeletePinhole', values: { UniqueID: id } }),
} as const;

export function encodeIgdAction(serviceType: string, action: IgdAction): string {
  const values = Object.entries(action.values)
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join('');
  return (
    '<?xml version="1.0"?>\r\n' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action.name} xmlns:u="${serviceType}">${values}</u:${action.name}>` +
    '</s:Body></s:Envelope>\r\n'
  );
}

/** UPnP's numbers for what goes wrong, as far as something is done about it. */
export const igdErrors = {
  invalidAction: 401,
  invalidArguments: 402,
  actionFailed: 501,
  notAuthorized: 606,
  noSuchEntry: 714,
  conflict: 718,
  samePortsRequired: 724,
  onlyPermanentLeases: 725,
  noSuchPinhole: 704,
} as const;

/** An error that the router itself reports. */
export type IgdFault = Fault & { readonly igdError: number };

/**
 * The arguments of a good answer. Faults: those of XML, `NETWORK_IGD_REFUSED` (an {@link IgdFault}),
 * `NETWORK_IGD_SYNTAX`.
 */
export function decodeIgdAnswer(
  status: number,
  text: string,
  actionName: string,
): Result<ReadonlyMap<string, string>> {
  const xml = parseXml(text);
  if (!xml.ok) return xml;
  const error = findElement(xml.value, 'UPnPError');
  if (error !== null) return failed(refusal(error));
  const answer = findElement(xml.value, `${actionName}Response`);
  if (status !== 200 || answer === null) return failed(badAnswer);
  return ok(new Map(answer.children.map((child) => [child.name, child.text.trim()])));
}

export function isIgdFault(fault: Fault): fault is IgdFault {
  return 'igdError' in fault;
}

function refusal(error: XmlElement): IgdFault {
  const code = /^\d{1,5}$/.exec(childText(error, 'errorCode'))?.[0];
  const igdError = code === undefined ? igdErrors.actionFailed : Number(code);
  const text = toShown(childText(error, 'errorDescription'));
  const known = igdErrorTexts.get(igdError);
  const message = known ?? `the router gives error ${igdError}${text === '' ? '' : ` (${text})`}`;
  return { ...routerFault('NETWORK_IGD_REFUSED', message), igdError };
}

const igdErrorTexts: ReadonlyMap<number, string> = new Map([
  [igdErrors.notAuthorized, 'the router does not allow it'],
  [igdErrors.conflict, 'that port is mapped to another machine'],
  [728, 'the router has no room for another mapping'],
  [702, 'the router’s firewall is off, so that nothing must be opened'],
  [703, 'the router does not allow machines to open its firewall'],
]);

/** A port of an answer, or null. */
export function tryReadPort(text: string | undefined): number | null {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}

/** An address of an answer, or null; `0.0.0.0` and the empty text, which mean "not connected", are null. */
export function tryReadAddress(text: string | undefined): IpAddress | null {
  const address = tryParseAddress(text ?? '');
  return address === null || address === '0.0.0.0' || address === '::' ? null : address;
}

/** Cut to length; whoever shows it on a terminal makes it harmless there. */
function toShown(text: string): string {
  return text.slice(0, igdLimits.shownCharacters);
}

const noGateway = routerFault('NETWORK_IGD_NONE', 'What answered is no gateway to the Internet.');
const badAnswer = routerFault('NETWORK_IGD_SYNTAX', 'The router’s answer is not one to the question.');
