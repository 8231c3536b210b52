/** The section `ipfs` of the settings. */
import { z } from 'zod';
import { absolutePath, optional, rate } from './setting-parts.ts';

const webOrigin = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^https?:\/\/[^/?#\s]+\/?$/, 'must be like https://example.org');

const dnslinkDomain = z
  .string()
  .max(253)
  .regex(
    /^(?:\*|(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])$/i,
    'must be like docs.example.org, *.example.org or *',
  );

export const ipfsSection = z.strictObject({
  enabled: z
    .boolean()
    .meta({ description: 'Keeps content of IPFS, and answers those who ask this node for it.' })
    .default(true),
  gateway: optional(z.string().min(1).max(300), {
    description:
      'Shows content over HTTP at this address, as 127.0.0.1:8080, to everybody who reaches it; by default nowhere.',
    restart: true,
  }),
  gatewayDomains: z
    .array(dnslinkDomain)
    .max(1000)
    .meta({
      description:
        'Domains that the gateway shows as sites of their own: who asks it for one sees what the domain names in DNS (DNSLink). *.example.org is all below a domain, * any; by default none.',
    })
    .default([]),
  namesByPubsub: z
    .boolean()
    .meta({
      description: 'Names that are published or looked up are also told, and heard of, over pubsub at once.',
    })
    .default(true),
  routers: z
    .array(webOrigin)
    .max(20)
    .meta({
      description: 'HTTP routers that are asked who has something, besides the DHT; by default none.',
      restart: true,
    })
    .default([]),
  gateways: z
    .array(webOrigin)
    .max(20)
    .meta({
      description:
        'Gateways that blocks are got from, besides peers; each block is checked, and who sends another is asked no more.',
      restart: true,
    })
    .default([]),
  denyLists: z
    .array(absolutePath)
    .max(20)
    .meta({
      description:
        'Files with lists of content (compact denylists) that is neither shown, given away nor fetched.',
      restart: true,
    })
    .default([]),
  provide: z
    .enum(['none', 'roots', 'files', 'pinned', 'everything'])
    .meta({
      description:
        'Of what others are told that it is here, so that they find it: nothing, the roots of what is pinned or in the tree of files, each file and folder in them, every block of them, or every block.',
    })
    .default('files'),
  limitDown: optional(rate, {
    description:
      'Download of blocks from peers; by default no limit of its own. The limits of the whole node hold for TCP besides.',
    unit: 'B/s',
  }),
  limitUp: optional(rate, {
    description:
      'Upload of blocks to peers; by default no limit of its own. The limits of the whole node hold for TCP besides.',
    unit: 'B/s',
  }),
  quota: optional(z.int().min(1_000_000), {
    description: 'Bytes that its blocks may take on the disk; by default as far as there is room.',
    restart: true,
  }),
});
