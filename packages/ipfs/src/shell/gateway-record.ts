/** A name's signed record, as it is: whoever asked can check it alone (trustless gateway, `format=ipns-record`). */
import type { GatewayAddress } from '../core/gateway-address.ts';
import { formatTypes } from '../core/gateway-format.ts';
import { contentDisposition } from '../core/gateway-headers.ts';
import { ipnsNameText, tryParseIpnsName } from '../wire/ipns-name.ts';
import type { GatewayAnswer } from './gateway-answer.ts';
import type { GatewayRefusal } from './gateway-content.ts';
import type { NameSource } from './name-resolver.ts';

/** @throws NodeError as the source does */
export async function answerIpnsRecord(
  source: NameSource,
  address: GatewayAddress,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<GatewayAnswer | GatewayRefusal> {
  const name = address.namespace === 'ipns' ? tryParseIpnsName(address.root) : null;
  if (name === null || address.segments.length > 0)
    return {
      status: 400,
      refusal: 'Only the name of a key has an IPNS record: /ipns/NAME?format=ipns-record.',
    };
  const record = await source.ipns(name, signal);
  if (record === null)
    return { status: 404, refusal: `Nobody who was asked knows a record of ${ipnsNameText(name)}.` };
  const file = query.get('filename') ?? `${ipnsNameText(name)}.ipns-record`;
  return {
    status: 200,
    type: formatTypes['ipns-record'],
    etag: `"${ipnsNameText(name)}.${record.sequence}.${record.validUntilMs}"`,
    caching: `public, max-age=${Math.floor(record.ttlMs / 1000)}`,
    disposition: contentDisposition('attachment', file),
    headers: { 'x-content-type-options': 'nosniff', 'x-ipfs-path': `/ipns/${address.root}` },
    bytes: record.bytes.length,
    read: (from, to) => record.bytes.subarray(from, to),
  };
}
