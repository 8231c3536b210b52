/** The verbs of qBittorrent's Web API: `<scope>/<action>` to what it does. */
import { NodeError } from '@tequio/kernel';
import { ApiError } from './api-error.ts';
import * as app from './app.ts';
import type { ApiCall } from './caller-state.ts';
import { folderContent } from './folder-content.ts';
import { rssLooks, rssVerbs } from './rss.ts';
import { add } from './torrent-add.ts';
import * as creator from './torrent-creator.ts';
import * as looks from './torrent-looks.ts';
import * as metadata from './torrent-metadata.ts';
import * as verbs from './torrent-verbs.ts';

export type ApiAction = (call: ApiCall) => Promise<unknown>;

/** May be asked with GET: nothing changes. */
export const apiLooks: Readonly<Record<string, ApiAction>> = {
  ...scoped('app', { ...app.appLooks, getDirectoryContent: folderContent }),
  ...scoped('transfer', app.transferLooks),
  ...scoped('log', app.logLooks),
  ...scoped('rss', rssLooks),
  ...scoped('search', app.searchLooks),
  ...scoped('torrentcreator', { status: creator.taskStatus, torrentFile: creator.taskTorrent }),
  ...scoped('torrents', {
    info: looks.info,
    properties: looks.properties,
    trackers: looks.trackers,
    webseeds: looks.webseeds,
    files: looks.files,
    pieceStates: looks.pieceStates,
    pieceAvailability: looks.pieceAvailability,
    pieceHashes: looks.pieceHashes,
    downloadFile: looks.downloadFile,
    saveMetadata: metadata.saveMetadata,
    export: looks.exportTorrent,
    count: looks.count,
    categories: looks.categories,
    tags: (call) => call.caller.management.torrents.tags(),
    downloadLimit: (call) => looks.limits(call, 'limitDown'),
    uploadLimit: (call) => looks.limits(call, 'limitUp'),
  }),
};

/** Only with POST. */
export const apiVerbs: Readonly<Record<string, ApiAction>> = {
  ...scoped('app', app.appVerbs),
  ...scoped('transfer', app.transferVerbs),
  ...scoped('rss', rssVerbs),
  ...scoped('search', app.searchVerbs),
  ...scoped('torrentcreator', { addTask: creator.addTask, deleteTask: creator.deleteTask }),
  ...scoped('torrents', {
    ...verbs.torrentVerbs,
    add,
    fetchMetadata: metadata.fetchMetadata,
    parseMetadata: metadata.parseMetadata,
    addTrackers: verbs.addTrackers,
    removeTrackers: verbs.removeTrackers,
    editTracker: verbs.editTracker,
    addWebSeeds: verbs.addWebSeeds,
    removeWebSeeds: verbs.removeWebSeeds,
    editWebSeed: verbs.editWebSeed,
    // What 4.x called them, and a name that a client has for one of them.
    pause: verbs.torrentVerbs['stop']!,
    resume: verbs.torrentVerbs['start']!,
    editTrackers: verbs.editTracker,
  }),
};

function scoped(scope: string, actions: Readonly<Record<string, ApiAction>>): Record<string, ApiAction> {
  return Object.fromEntries(Object.entries(actions).map(([name, action]) => [`${scope}/${name}`, action]));
}

/** What the node refuses, with the status that qBittorrent's own refusals of the kind have. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof NodeError)) throw error;
  if (error.code.startsWith('HTTP_')) throw error;
  if (error.code === 'TORRENT_MISSING') return new ApiError(404, error.message);
  if (error.code === 'USER_RIGHT') return new ApiError(403, error.message);
  if (/METAINFO|BENCODE|MAGNET/.test(error.code)) return new ApiError(415, error.message);
  return new ApiError(error.code === 'SETTINGS_VALUE' ? 400 : 409, error.message);
}
