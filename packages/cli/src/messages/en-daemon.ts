/** What the commands for a running node say, in English; see en.ts. */
type Examples = readonly (readonly [string, string])[];

const torrentHelp = 'hex id or its beginning, the name, or `all`';

export const helpOfDaemon = {
  list: {
    summary: 'list the torrents of the running node',
    filter: 'only names with these words',
    state: 'only these: downloading, seeding, paused, checking, error, active, stalled, queued, finished',
    sort: 'by name, size, progress, down, up, ratio or added (default: added)',
    limit: 'how many at most (default: 1000)',
    notes: 'The node is the one that runs with the same --data.',
    examples: [
      ['list', 'all torrents, oldest first'],
      ['list --state active --sort down', 'what is downloading, fastest first'],
      ['list --json | jq -r .id', 'ids for a script'],
    ] as Examples,
  },
  add: {
    summary: 'give torrents to the running node',
    source: 'file or http(s) address of a .torrent, a magnet link, or an info-hash',
    to: 'folder for the content (default: that of the category, or of the node)',
    category: 'category of yours',
    tag: 'tag of yours; can be repeated',
    paused: 'do not start it yet',
    notes: 'It ends at once; the node goes on. `get` waits until all is there.',
    examples: [
      ['add debian.torrent', 'into the folder of the settings'],
      ['add "magnet:?xt=urn:btih:…" --to ~/Downloads --tag new', 'a magnet link'],
    ] as Examples,
  },
  info: {
    summary: 'tell all about one torrent of the running node',
    torrent: torrentHelp,
    examples: [
      ['info debian', 'by its name'],
      ['info 3b24 --json', 'by the beginning of its id'],
    ] as Examples,
  },
  pause: {
    summary: 'let torrents of the running node stand still',
    torrent: torrentHelp,
    examples: [['pause all', 'everything, each torrent by itself']] as Examples,
  },
  resume: {
    summary: 'let torrents of the running node go on',
    torrent: torrentHelp,
    examples: [['resume 3b24', 'one of them']] as Examples,
  },
  remove: {
    summary: 'take torrents from the running node',
    torrent: torrentHelp,
    delete: 'delete their files as well',
    examples: [
      ['remove debian', 'the files stay'],
      ['remove 3b24 --delete', 'the files go too'],
    ] as Examples,
  },
  settings: {
    summary: 'show or change settings of the running node',
    key: 'as `bittorrent.limitDown`, or a part of them, as `queue`',
    value: 'as JSON, or a text',
    examples: [
      ['settings queue', 'one part'],
      ['settings bittorrent.limitDown 500000', 'bytes a second'],
      ['settings bittorrent.limitDown null', 'no limit any more'],
    ] as Examples,
  },
  log: {
    summary: 'show the log of the running node',
    lines: 'how many at most (default: 100)',
    level: 'debug, info, warn or error, and what is worse (default: info)',
    follow: 'go on with new lines until interrupted',
    examples: [
      ['log --level warn', 'what went wrong'],
      ['log -f', 'watch'],
    ] as Examples,
  },
  keys: {
    summary: 'manage the keys that let programs in',
    add: 'make a key; it is shown this once',
    name: 'what it is for',
    scope: 'read (looks), write (manages torrents too) or admin (everything); default: write',
    remove: 'take a key away',
    id: 'of the key, as `keys` shows it',
    examples: [
      ['keys', 'who may come in'],
      ['keys add sonarr', 'a key for one program'],
    ] as Examples,
  },
  password: {
    summary: 'set the password of the running node, read from standard input',
    user: 'of this user instead of the owner, who is called `admin`',
    notes: 'The first line is the password. An empty one takes it away.',
    examples: [['password < secret.txt', 'from a file']] as Examples,
  },
  open: {
    summary: 'give an address that lets a browser into the running node, once',
    examples: [['open', 'copy it into the browser']] as Examples,
  },
  stop: {
    summary: 'end the running node in good order',
    examples: [['stop', 'all state is kept']] as Examples,
  },
};

export const daemonTexts = {
  attached: (url: string) =>
    `A node is running at ${url} with the same data: it does the work, and goes on with it.`,
  none: (command: string) => `No node is running with this data folder. \`${command}\` starts one.`,
  noTorrent: (text: string) => `The node has no torrent “${text}”.`,
  several: (text: string, count: number) => `“${text}” fits ${count} torrents: write more of the id.`,
  noTorrents: 'The node has no torrents.',
  noneFits: 'No torrent fits.',
  columns: { id: 'ID', done: 'Done', size: 'Size', down: 'Down', up: 'Up', state: 'State', name: 'Name' },
  states: {
    metadata: 'metadata',
    checking: 'checking',
    downloading: 'downloading',
    seeding: 'sharing',
    paused: 'paused',
    queued: 'queued',
    error: 'error',
  },
  badState: (text: string) => `“${text}” is no state of torrents.`,
  badSort: (text: string) =>
    `“${text}” is nothing to sort by: name, size, progress, down, up, ratio or added.`,
  badLevel: (text: string) => `“${text}” is no level: debug, info, warn or error.`,
  badScope: (text: string) => `“${text}” is no scope: read, write or admin.`,
  badCount: (text: string) => `“${text}” is no count: write a number from 1 to 5000.`,
  more: (shown: number, all: number) => `${shown} of ${all}; --limit shows more.`,
  added: (name: string, id: string) => `Added: ${name} (${id})`,
  known: (name: string, id: string) => `Was there already: ${name} (${id})`,
  paused: (count: number) => (count === 1 ? '1 torrent stands still.' : `${count} torrents stand still.`),
  resumed: (count: number) => (count === 1 ? '1 torrent goes on.' : `${count} torrents go on.`),
  removed: (count: number) => (count === 1 ? '1 torrent removed.' : `${count} torrents removed.`),
  info: {
    name: 'Name',
    id: 'ID',
    state: 'State',
    error: 'Error',
    done: 'Done',
    doneOf: (percent: number, done: string, wanted: string) => `${percent} %, ${done} of ${wanted}`,
    rates: 'Now',
    transferred: 'In all',
    upDown: (down: string, up: string, ratio: string) => `${down} down, ${up} up, ratio ${ratio}`,
    downUp: (down: string, up: string) => `${down} down, ${up} up`,
    folder: 'Folder',
    category: 'Category',
    tags: 'Tags',
    peers: 'Peers',
    peersOf: (peers: number, seeds: number) => `${peers} connected, ${seeds} of them with everything`,
    tracker: 'Tracker',
    trackerStates: { waiting: 'waiting', announcing: 'being asked', working: 'working', failed: 'failed' },
    files: 'Files',
  },
  changed: (keys: string) => `Changed: ${keys}`,
  unchanged: 'Nothing is different.',
  restart: (keys: string) => `This holds after the node was started again: ${keys}`,
  noSetting: (key: string) => `There is no setting “${key}”.`,
  noKeys: 'No program has a key.',
  neverUsed: 'never used',
  keyMade: (name: string) => `This key is for ${name}. It is not shown again:`,
  keyRemoved: 'The key lets nobody in any more.',
  passwordSet: 'The password is set.',
  passwordGone: 'There is no password any more.',
  stopping: 'The node ends.',
};

export type HelpOfDaemon = typeof helpOfDaemon;
export type DaemonMessages = typeof daemonTexts;
