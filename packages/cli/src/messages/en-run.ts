/** What the commands `run` and `config` say, in English; see en.ts. */
export const helpOfRun = {
  summary: 'run the node: all torrents, page and API, until Ctrl-C',
  http: 'where page and API are, as 127.0.0.1:27270; port 0 takes a free one (another address needs a password)',
  noHttp: 'no page and no API',
  config: 'the config file (default: config.toml in the data folder)',
  download: 'folder for content that is added without one',
  notes:
    'All torrents of earlier runs go on as they were. Settings come from the config file, then from the environment (TEQUIO_BITTORRENT_PORT=6881), then from these options. The address that it prints lets in once; programs use the token in the data folder.',
  examples: [
    ['run', 'prints the address of the page'],
    ['run --http 127.0.0.1:8080 --data ~/tequio', 'another port, and everything in one folder'],
    ['run --no-http', 'no page and no API'],
  ] as readonly (readonly [string, string])[],
};

export const helpOfConfig = {
  summary: 'check the config file, and say where it is',
  check: 'say every mistake in config file and environment, and start nothing',
  examples: [['config check', 'exit code 0: all is well']] as readonly (readonly [string, string])[],
};

export const runTexts = {
  page: (url: string) => `Open ${url}`,
  once: 'This address lets in once; `open` prints another one.',
  running: (count: number) =>
    `The node runs until Ctrl-C, with ${count === 1 ? '1 torrent' : `${count} torrents`}.`,
  noHttp: 'Without page and API.',
  stopping: 'Stopping; Ctrl-C again stops at once.',
  stopped: 'The node has stopped.',
  trouble: (line: string) => `trouble: ${line}`,
};

export const configTexts = {
  good: (path: string) => `${path} is good.`,
  none: (path: string) => `There is no ${path}: everything is as it comes.`,
  problem: (key: string, message: string) => `${key}: ${message}`,
  bad: (count: number) => (count === 1 ? '1 mistake.' : `${count} mistakes.`),
};

export type HelpOfRun = typeof helpOfRun;
export type HelpOfConfig = typeof helpOfConfig;
export type RunMessages = typeof runTexts;
export type ConfigMessages = typeof configTexts;
