/** Sections of the settings: page, API, interfaces of other programs, people. */
import { z } from 'zod';
import { absolutePath, hostName, optional } from './setting-parts.ts';

export const httpSection = z.strictObject({
  address: z
    .string()
    .min(1)
    .max(300)
    .meta({
      description:
        '`ADDRESS:PORT` of page and API. Another than the own machine’s needs a password. Port 0: any free one.',
      restart: true,
    })
    .default('127.0.0.1:27270'),
  enabled: z.boolean().meta({ description: 'Page and API are served.', restart: true }).default(true),
  basePath: z
    .string()
    .max(200)
    .regex(/^(?:\/[\w.~-]+)*$/, 'must be empty or like /tequio')
    .meta({ description: 'Path under which a reverse proxy shows the node.', restart: true })
    .default(''),
  allowedHosts: z
    .array(hostName)
    .max(50)
    .meta({ description: 'Host names, besides addresses and localhost, under which the node may be called.' })
    .default([]),
  trustedProxies: z
    .array(z.string().max(50))
    .max(50)
    .meta({ description: 'Addresses of reverse proxies whose word on who is asking is believed.' })
    .default([]),
  streamAddress: z
    .string()
    .max(300)
    .meta({
      description: '`ADDRESS:PORT` of the second origin, which serves content; port 0: any free one.',
      restart: true,
    })
    .default('127.0.0.1:0'),
  streamOrigin: optional(
    z
      .string()
      .max(300)
      .regex(/^https?:\/\/[^/\s]+$/i, 'must be like https://content.example.org'),
    {
      description:
        'Where a reverse proxy shows the second origin, as https://content.example.org; by default the same host and its port.',
    },
  ),
});

export const webSection = z.strictObject({
  folder: optional(absolutePath, {
    description: 'Folder with a page that was made for Transmission or qBittorrent, to be served as it is.',
    restart: true,
  }),
  path: z
    .string()
    .max(200)
    .regex(/^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/, 'must be / or like /transmission/web')
    .meta({
      description:
        'Where that page is served: `/` in place of our own, `/transmission/web` for Transmission’s.',
      restart: true,
    })
    .default('/'),
});

export const compatSection = z.strictObject({
  transmission: z.boolean().meta({ description: 'Transmission RPC at `/transmission/rpc`.' }).default(true),
  qbittorrent: z.boolean().meta({ description: 'qBittorrent Web API at `/api/v2`.' }).default(true),
  aria2: z.boolean().meta({ description: 'aria2 JSON-RPC at `/jsonrpc`.' }).default(true),
  kubo: z.boolean().meta({ description: "Kubo's RPC for IPFS at `/api/v0`." }).default(true),
});

export const usersSection = z.strictObject({
  folder: optional(absolutePath, {
    description:
      'Each user without a folder of their own gets one in here; by default in the download folder.',
  }),
});
