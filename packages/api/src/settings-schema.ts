/**
 * The settings of a node: one schema that checks the config file, the environment, flags and what comes over the API,
 * and from which the documentation and the settings screen are made. Browser-safe.
 *
 * What has no value is null here, and is left out of the config file, for TOML knows no null. Times of day are minutes
 * since midnight, rates bytes a second, paths absolute.
 */
import { z } from 'zod';
import {
  completionSection,
  foldersSection,
  queueSection,
  rssSection,
  shareGoal,
  watchFolder,
} from './settings-content.ts';
import { compatSection, httpSection, usersSection, webSection } from './settings-http.ts';
import { ipfsSection } from './settings-ipfs.ts';
import {
  addressFilterSection,
  altLimitsSection,
  bittorrentSection,
  overlaySection,
  proxySection,
} from './settings-networks.ts';

export { mistakeOf } from './input-mistake.ts';
export type { SettingMeta } from './setting-parts.ts';

/** Of the config file's shape; one more with every migration. */
export const settingsVersion = 1;

const nodeSection = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64)
    .meta({ description: 'What this node is called on its page.' })
    .default('Tequio'),
  language: z
    .enum(['system', 'en', 'es'])
    .meta({ description: 'Language of the page and of messages.' })
    .default('system'),
});

export const settingsSchema = z.strictObject({
  version: z.literal(settingsVersion).meta({ description: "Of the file's shape." }).default(settingsVersion),
  node: nodeSection.prefault({}).meta({ description: 'The node itself.' }),
  folders: foldersSection.prefault({}).meta({ description: 'Where content lies.' }),
  bittorrent: bittorrentSection.prefault({}).meta({ description: 'BitTorrent.' }),
  overlay: overlaySection
    .prefault({})
    .meta({ description: 'libp2p: the network that IPFS and others stand on.' }),
  ipfs: ipfsSection.prefault({}).meta({ description: 'IPFS: content by the hash of what it is.' }),
  altLimits: altLimitsSection
    .prefault({})
    .meta({ description: 'Alternative limits, by hand or at set times.' }),
  proxy: proxySection.prefault({}).meta({ description: 'A proxy on the way out.' }),
  addressFilter: addressFilterSection.prefault({}).meta({ description: 'Addresses to keep away from.' }),
  queue: queueSection.prefault({}).meta({ description: 'How many torrents are active at once.' }),
  sharing: shareGoal.prefault({}).meta({ description: 'How long torrents are shared; by default for ever.' }),
  watch: z
    .array(watchFolder)
    .max(50)
    .meta({ description: 'Folders that are watched for torrents.' })
    .default([]),
  rss: rssSection.prefault({}).meta({ description: 'Feeds.' }),
  completion: completionSection
    .prefault({})
    .meta({ description: 'What happens when a torrent is complete.' }),
  http: httpSection.prefault({}).meta({ description: 'Page and API.' }),
  web: webSection.prefault({}).meta({ description: 'A page of another program.' }),
  compat: compatSection
    .prefault({})
    .meta({ description: "Other programs' interfaces, for tools made for them." }),
  users: usersSection.prefault({}).meta({ description: 'People besides the owner.' }),
});

/** Complete: every value is there. */
export type Settings = z.output<typeof settingsSchema>;

/** JSON Schema (2020-12) of a config file, with a sentence, a default and a unit for each setting. */
export function settingsJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(settingsSchema, { io: 'input' }) as Readonly<Record<string, unknown>>;
}
