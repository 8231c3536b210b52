import { bansTexts, helpOfBans } from './en-bans.ts';
import { bridgeTexts, helpOfBridge } from './en-bridge.ts';
import { daemonTexts, helpOfDaemon } from './en-daemon.ts';
import { dhtTexts, helpOfDht } from './en-dht.ts';
import { helpOfIpfs, ipfsTexts } from './en-ipfs.ts';
import { configTexts, helpOfConfig, helpOfRun, runTexts } from './en-run.ts';
import { helpOfSetup, setupTexts } from './en-setup.ts';
import { helpOfStatus, statusTexts } from './en-status.ts';

/**
 * Every sentence that the command line says, in English. `es.ts` has the same table: a key that is missing there
 * does not compile. Functions take values that are already safe to print.
 */
export const en = {
  help: {
    usage: 'Usage:',
    arguments: 'Arguments:',
    options: 'Options:',
    globalOptions: 'Global options:',
    commands: 'Commands:',
    examples: 'Examples:',
    default: 'default',
    program:
      'Tequio makes this computer an equal member of peer-to-peer networks. Today it speaks BitTorrent and IPFS, with everybody else’s programs: it downloads, seeds, creates, verifies and tracks torrents, and keeps and shares content by what it is.',
    help: 'show this help',
    version: 'show the version',
    data: 'folder for the program’s own state, never for content (default: the system’s usual place)',
    json: 'write newline-delimited JSON to standard output, and nothing else there',
    quiet: 'say nothing but results and errors',
    sizes: 'Sizes and rates: K, M and G are powers of 1024 (500K, 1.5MiB); kB, MB and GB powers of 1000.',
    exitCodes:
      'Exit codes: 0 done · 2 usage · 65 bad data · 66 input missing · 69 no peer or tracker reachable · 70 a mistake of ours · 74 file error · 130 interrupted, with all state kept.',
    more: (program: string) => `\`${program} COMMAND --help\` explains one command, with examples.`,
    get: {
      summary: 'download torrents',
      source: 'file or http(s) address of a .torrent, a magnet link, or an info-hash',
      to: 'folder for the content (default: the current one)',
      seed: 'when all is there, go on uploading until interrupted',
      peer: 'a peer to ask at once; may be given several times',
      port: 'TCP port that other peers can dial; 0 takes any free one',
      bind: 'address or network interface of this machine that everything goes through; while it is not there nothing is sent',
      addressFilter:
        'list of addresses to have nothing to do with: lines of eMule (DAT), PeerGuardian (P2P) or CIDR, also packed with gzip',
      select: 'only files that match this pattern, as “*.iso” or “docs/**”; may be given several times',
      sequential: 'from the first piece to the last, instead of the rarest first',
      limitDown: 'most bytes a second to receive',
      limitUp: 'most bytes a second to send',
      category: 'a name of yours for these torrents, by which they are kept apart from others',
      schedule:
        'other limits at some times, as “mon-fri 8:00-18:00 down=500K up=100K”; may be given several times, the first that fits holds',
      proxy:
        'all connections go through this proxy (socks5://user:password@host:port or http://host:port), with the names to look up; without --port nobody can call us then',
      proxyFor: 'what the proxy is for: all, peers or trackers (default: all)',
      encryption:
        'of connections to peers: allow (plain, encrypted to whom plain does not reach), prefer (encrypted, plain to who cannot), require, or off (default: allow)',
      noPortMapping: 'do not ask the router (by PCP, NAT-PMP, UPnP) to let the port through',
      noDht: 'take no part in the DHT, by which peers are found without trackers',
      noPex: 'do not let peers tell of each other (peer exchange)',
      noLsd: 'do not look for peers on the local network, nor be found there',
      dhtBootstrap:
        'host to ask first for nodes of the DHT, instead of the usual ones; may be given several times',
      transport: 'how peers are connected: tcp, utp (gives way to other traffic), or both (default: both)',
      timeout: 'give up when no peer and no tracker could be reached for this long',
      notes:
        'Interrupted by Ctrl-C and started again, it goes on where it stopped. Ctrl-C twice stops it at once.',
      examples: [
        ['get debian.torrent', 'a torrent file, into the current folder'],
        ['get "magnet:?xt=urn:btih:..." --to ~/Downloads --seed', 'a magnet link, and share it afterwards'],
        ['get big.torrent --select "*.pdf" --limit-down 2M', 'some of the files, at most 2 MiB a second'],
      ] as readonly (readonly [string, string])[],
    },
    seed: {
      summary: 'share files, or torrents whose content is already here',
      path: 'a file or folder to share, or a .torrent whose content is here',
      from: 'folder in which the content of the .torrent files lies (default: the current one)',
      tracker: 'tracker for a new torrent, or one more for an existing one; several as for `create`',
      version:
        'A file or folder that has no torrent yet gets a hybrid one: its v1 half works with every program there is, its v2 half lets newer ones check each block and recognise equal files. The same content always gives the same torrent and the same link. The .torrent is kept in the data folder.',
      examples: [
        [
          'seed holiday-pictures --tracker udp://tracker.example:6969',
          'a folder: prints the link to pass on',
        ],
        ['seed debian.torrent --from ~/Downloads', 'verifies what is there, then shares it'],
      ] as readonly (readonly [string, string])[],
    },
    create: {
      summary: 'make a .torrent of a file or folder',
      path: 'file or folder',
      output: 'the .torrent to write',
      v1: 'only version 1 (BEP 3)',
      v2: 'only version 2 (BEP 52), which older programs cannot read',
      hybrid: 'both in one, for every program (the default)',
      pieceSize: 'a power of two from 16K (default: chosen from the size)',
      tracker:
        'announce address; each one given is a tier of its own, tried after those before it; put commas between trackers of one tier',
      webSeed: 'http(s) address of the same content; may be given several times',
      private: 'peers only from the trackers: no DHT, no peer exchange',
      source: 'a text that makes the info-hash differ from others’ (used by private trackers)',
      similar: 'info-hash of a torrent that has files in common with this one (repeatable)',
      collection: 'a collection whose torrents have files in common (repeatable)',
      comment: 'a text for people',
      notes: 'No date is written, so that the same input gives the same file.',
      examples: [
        ['create album -o album.torrent --tracker udp://tracker.example:6969', 'one tracker'],
        [
          'create disk.iso -o disk.torrent --tracker http://a/announce,http://b/announce --tracker udp://c:6969',
          'two tiers: a and b together, then c',
        ],
        ['create disk.iso -o disk.torrent --web-seed https://example.org/disk.iso', 'with a web seed'],
      ] as readonly (readonly [string, string])[],
    },
    show: {
      summary: 'say what is in a torrent, without downloading it',
      source: 'file or http(s) address of a .torrent, a magnet link, or an info-hash',
      notes:
        'File names that could do harm are shown as they would be written, with a line on what was changed.',
      examples: [
        ['show debian.torrent', 'name, hashes, trackers and files'],
        ['show debian.torrent --json | jq .infoHashV1', 'one value for a script'],
      ] as readonly (readonly [string, string])[],
    },
    verify: {
      summary: 'check content against its torrent, file by file',
      torrent: 'file or http(s) address of a .torrent',
      path: 'the content: the file or folder that the torrent names, or the folder it lies in',
      notes: 'Reads everything and changes nothing. Exit code 65 when something is missing or wrong.',
      examples: [
        ['verify debian.torrent ~/Downloads/debian.iso', 'all pieces, on all cores'],
      ] as readonly (readonly [string, string])[],
    },
    tracker: {
      summary: 'run a tracker, over HTTP and UDP',
      http: 'port for HTTP (default: 6969 when neither port is given)',
      udp: 'port for UDP (default: 6969 when neither port is given)',
      bind: 'address to listen on (default: all)',
      allow: 'serve only the info-hashes in this file, one a line, # for remarks',
      examples: [
        ['tracker', 'HTTP and UDP on port 6969'],
        ['tracker --http 8080 --allow hashes.txt', 'HTTP alone, for torrents on a list'],
      ] as readonly (readonly [string, string])[],
    },
    dht: helpOfDht,
    status: helpOfStatus,
    bans: helpOfBans,
    ipfs: helpOfIpfs,
    bridge: helpOfBridge,
    ...helpOfDaemon,
    ...helpOfSetup,
    run: helpOfRun,
    config: helpOfConfig,
    nat: {
      summary: 'look into the router: can others reach this computer, and ask it to let them',
      notes:
        'Routers are asked by PCP, NAT-PMP and UPnP, all at once. `get` and `seed` do the same by themselves; these commands show what comes of it.',
      status: 'which router there is, what it speaks, and what to do',
      map: 'let a TCP and UDP port through, until interrupted',
      unmap: 'take back what `nat map --leave` has left',
      port: 'port of this computer',
      leave: 'end at once; the router keeps the mapping for an hour',
      examples: [
        ['nat status', 'the router, its protocols, its address on the Internet'],
        ['nat map 27272', 'both TCP and UDP, removed again at the end'],
        ['nat unmap 27272', 'what was left is removed'],
      ] as readonly (readonly [string, string])[],
    },
    demo: {
      summary: 'see it work, without the Internet: one tracker, one seed, three downloaders',
      notes:
        'Shares this program’s own files between processes of this computer, over real sockets, and shows who has which pieces. Takes about ten seconds and leaves nothing behind.',
      examples: [['demo', 'watch']] as readonly (readonly [string, string])[],
    },
  },

  usage: {
    hint: (program: string) => `\`${program} --help\` shows how.`,
    noCommand: (program: string) => `Say what to do: \`${program} --help\` lists the commands.`,
    unknownCommand: (name: string) => `There is no command “${name}”.`,
    didYouMean: (name: string) => `Did you mean “${name}”?`,
    looksLikeSource: (program: string, source: string) => `To download it: \`${program} get ${source}\`.`,
    unknownOption: (name: string) => `There is no option “${name}” here.`,
    missingArgument: (name: string) => `“${name}” is missing.`,
    missingOption: (name: string) => `The option “${name}” is needed.`,
    missingOptionValue: (name: string) => `The option “${name}” needs a value.`,
    tooManyArguments: 'There are more arguments than this command takes.',
    conflict: (one: string, other: string) => `“${one}” and “${other}” cannot be given together.`,
    badPort: (text: string) => `“${text}” is no port: it must be a number from 0 to 65535.`,
    badPeer: (text: string) =>
      `“${text}” is no peer: it must be HOST:PORT, as 192.0.2.7:6881 or [2001:db8::7]:6881.`,
    badRate: (text: string) => `“${text}” is no rate: write for example 500K or 1.5M (bytes a second).`,
    badSalt: 'A salt has at most 64 bytes.',
    badLimitRule: (text: string) =>
      `“${text}” is no rule: write days, times and limits, for example “mon-fri 8:00-18:00 down=500K up=100K”.`,
    badSeconds: (text: string) => `“${text}” is no time: write seconds, for example 30.`,
    badPieceSize: (text: string) =>
      `“${text}” is no piece size: it must be a power of two from 16K to 1G, for example 256K.`,
    badTracker: (text: string) =>
      `“${text}” is no tracker: its address must begin with http://, https:// or udp://.`,
    badInfoHash: (text: string) =>
      `“${text}” is no info-hash: it must be 40 or 64 hex digits. \`show\` says those of a torrent.`,
    badWebSeed: (text: string) =>
      `“${text}” is no web seed: its address must begin with http:// or https://.`,
    badProxy: 'A proxy’s address begins with socks5:// or http://, as in socks5://user:password@host:1080.',
    badProxyPurpose: (text: string) => `“${text}” is nothing that a proxy is for: all, peers or trackers.`,
    badEncryption: (text: string) => `“${text}” is no kind of encryption: allow, prefer, require or off.`,
    badTransport: (text: string) => `“${text}” is no kind of connection: tcp, utp or both.`,
    badAddress: (text: string) => `“${text}” is no IP address of this machine.`,
    noMagnetHere: 'A magnet link holds no piece hashes: give the .torrent itself.',
  },

  errors: {
    line: (program: string, sentence: string) => `${program}: ${sentence}`,
    bug: (text: string) => `This is a mistake in Tequio, not yours: ${text}`,
    missing: (path: string) => `There is nothing at ${path}.`,
    notFolder: (path: string) => `${path} is no folder, so nothing can be put there.`,
    notFileOrFolder: (path: string) => `${path} is neither a file nor a folder.`,
    allowLine: (path: string, line: number) =>
      `Line ${line} of ${path} is no info-hash: it must be 40 or 64 hex digits.`,
    nothingSelected: (name: string) =>
      `No file of “${name}” matches --select, so there is nothing to download.`,
    unreachable: (seconds: number) =>
      `No peer and no tracker could be reached within ${seconds} seconds. Check the network and any firewall, name a peer with --peer HOST:PORT, or try a torrent with other trackers. What has been downloaded is kept.`,
  },

  /** A sentence of the node, in this language. */
  ofCode: (_code: string, text: string) => text,

  addressFilter: (ranges: number, badLines: number, firstLine: number) =>
    badLines === 0
      ? `Address filter: ${ranges} ranges.`
      : `Address filter: ${ranges} ranges. Lines that could not be read: ${badLines}; the first is line ${firstLine}.`,

  progress: {
    metadata: 'asking peers for the description of the torrent',
    checking: (percent: number) => `checking what is here: ${percent} %`,
    paused: 'paused',
    seeding: 'complete, sharing',
    peers: (count: number) => (count === 1 ? '1 peer' : `${count} peers`),
    pieces: (have: number, count: number) => `${have}/${count} pieces`,
    left: (time: string) => `${time} left`,
    of: (done: string, total: string) => `${done} of ${total}`,
    sent: (bytes: string) => `sent ${bytes}`,
    down: (rate: string) => `↓ ${rate}`,
    up: (rate: string) => `↑ ${rate}`,
    noPeers: 'no peer yet',
    trackerState: (url: string, state: string) => `tracker ${url}: ${state}`,
    trackerAsking: 'being asked',
    more: (count: number) => `… and ${count} more`,
    plain: (name: string, rest: string) => `${name}: ${rest}`,
  },

  events: {
    failed: (name: string, message: string) =>
      `${name}: ${message} It goes on by itself when the cause is gone.`,
    recovered: (name: string) => `${name}: the cause is gone, going on.`,
    banned: (endpoint: string, message: string) => `Peer ${endpoint} was banned: ${message}`,
    moreBans: 'More peers were banned; --json names them all.',
    metadata: (name: string) => `The description has arrived: ${name}`,
  },

  get: {
    finished: (name: string, size: string, time: string, rate: string, folder: string) =>
      `${name}: ${size} in ${time} (${rate}), in ${folder}`,
    already: (name: string, size: string, folder: string) => `${name}: all ${size} were already in ${folder}`,
    sharing: 'All is there. Sharing until Ctrl-C.',
    interrupted: (command: string) => `Stopped; all pieces so far are kept. To go on: ${command}`,
    stopping: 'Stopping … (Ctrl-C again stops at once)',
  },

  seed: {
    hashing: (name: string) => `making a torrent of ${name}`,
    checking: (name: string) => `${name}: checking`,
    line: (label: string, text: string) => `${label.padEnd(9)}${text}`,
    name: 'Name',
    link: 'Link',
    torrent: 'Torrent',
    notHere: (name: string, folder: string) =>
      `“${name}” is not in ${folder}. Say with --from in which folder its content lies.`,
    incomplete: (name: string, good: number, count: number) =>
      `Of “${name}” only ${good} of ${count} pieces are as the torrent says. \`verify\` tells which files; \`get\` with --to mends them.`,
    noTracker: (port: number) =>
      `It names no tracker, so others must be told where to ask: \`--peer THIS-COMPUTER:${port}\`.`,
    sharing: (port: number) => `Sharing on port ${port} until Ctrl-C.`,
    stopped: 'Stopped sharing.',
  },

  create: {
    hashing: (name: string) => `hashing ${name}`,
    written: (file: string) => `Written: ${file}`,
  },

  show: {
    name: 'Name',
    hashV1: 'Hash v1',
    hashV2: 'Hash v2',
    size: 'Size',
    pieces: 'Pieces',
    private: 'Private',
    yes: 'yes: peers only from its trackers',
    trackers: 'Trackers',
    webSeeds: 'Web seeds',
    comment: 'Comment',
    createdBy: 'Made by',
    createdAt: 'Made at',
    source: 'Source',
    similar: 'Similar to',
    collections: 'Collections',
    link: 'Link',
    files: (count: number) => (count === 1 ? '1 file' : `${count} files`),
    piecesOf: (count: number, size: string) => `${count} of ${size}`,
    bytes: (size: string, bytes: number) => `${size} (${bytes} bytes)`,
    onlyFromPeers: 'Files and sizes are known only to peers: `get` asks them.',
    nameChanges: 'Names made safe',
    nameChange: (was: string, is: string, reason: string) => `“${was}” is written as “${is}”: ${reason}`,
  },

  verify: {
    checking: (name: string) => `verifying ${name}`,
    states: {
      good: 'good',
      missing: 'missing',
      short: 'too short',
      long: 'too long',
      wrong: 'wrong',
      'not-a-file': 'not a file',
      unreadable: 'cannot be read',
    },
    file: (state: string, path: string, detail: string) => `  ${state.padEnd(16)}${path}${detail}`,
    badPieces: (count: number) => (count === 1 ? ' (1 bad piece)' : ` (${count} bad pieces)`),
    allGood: (files: number, pieces: number) =>
      `All good: ${pieces} ${pieces === 1 ? 'piece' : 'pieces'} in ${files} ${files === 1 ? 'file' : 'files'}.`,
    notGood: (good: number, count: number) => `Not good: ${good} of ${count} pieces are as they should be.`,
  },

  tracker: {
    http: (url: string) => `HTTP  ${url}`,
    udp: (url: string) => `UDP   ${url}`,
    running: 'The tracker runs until Ctrl-C.',
    otherMachines: 'From other machines, put this computer’s address in place of 127.0.0.1.',
    allowed: (count: number) => (count === 1 ? 'Serving 1 info-hash.' : `Serving ${count} info-hashes.`),
    stats: (torrents: number, seeds: number, leeches: number, announces: number, refused: number) =>
      `${torrents} torrents, ${seeds} seeds, ${leeches} downloaders; ${announces} announces, ${refused} refused`,
    stopped: 'The tracker has stopped.',
  },

  dht: dhtTexts,

  status: statusTexts,

  bans: bansTexts,
  ipfs: ipfsTexts,
  bridge: bridgeTexts,
  daemon: daemonTexts,

  setup: setupTexts,
  run: runTexts,
  config: configTexts,

  nat: {
    asking: 'asking the router …',
    way: (family: number, local: string, gateway: string, guess: string) =>
      `IPv${family}  ${local}, router ${gateway}${guess}`,
    unknown: 'not known',
    guess: ' (a guess: the system does not tell)',
    states: {
      asked: 'no answer yet',
      silent: 'no answer',
      useless: 'no help',
      offline: 'the router has no public address itself',
    },
    external: (address: string) => `  address on the Internet, says the router: ${address}`,
    mapped: (what: string, where: string) => `  ${what} is reached at ${where}`,
    refused: (what: string, reason: string) => `  ${what} is not let through: ${reason}`,
    noRouter:
      'No router was found: either this computer is on the Internet itself, or it has no way there. Nothing can be asked.',
    doubleNat:
      'Double NAT: the router’s own address is not one of the Internet, so there is another router in front of it, perhaps the provider’s (or it is offline). What it lets through does not reach the Internet. Ask the provider for an address of your own, use IPv6, or let the first router pass the port on.',
    switchOn:
      'The router speaks none of these protocols, or they are switched off. Switch one of them on in its settings, or forward the port there by hand.',
    switchOn6:
      'Over IPv6 the router cannot be asked to open its firewall. If it has one, open the port in its settings.',
    allRefused: (family: number) =>
      `Over IPv${family} the router lets nothing through: see its reason above.`,
    canMap: (family: number) => `Over IPv${family} the router can be asked for ports.`,
    good: (family: number) =>
      `Over IPv${family} the router says that it lets others through. Whether it does only they can show.`,
    letsIn: (where: string) => `The router lets others in: they reach this node at ${where}.`,
    holding: 'Kept until Ctrl-C.',
    left: 'The router keeps it for an hour at most.',
    removed: 'Removed.',
  },

  demo: {
    preparing: 'making a torrent of this program’s own files',
    intro: (files: number, size: string, pieces: number) =>
      `${files} files of Tequio itself, ${size} in ${pieces} pieces: one process seeds them, three download them, one tracker tells them of each other.`,
    slowed: (rate: string) => `The seed is held to ${rate}, so that the three must help each other.`,
    seed: 'seed',
    peer: (index: number) => `peer ${index}`,
    row: (percent: string, seed: string, others: string) => `${percent}  seed ~${seed}, others ~${others}`,
    seedRow: (sent: string) => `sent ${sent}`,
    waiting: 'waiting for the seed …',
    verifying: 'verifying every byte …',
    verified: (copies: number, files: number) => `${copies} copies of ${files} files: every byte verified.`,
    summary: (seed: string, others: string, percent: number, time: string) =>
      `In ${time} the seed sent ${seed}, and the three sent each other ${others}: ${percent} % of all that was downloaded came from peers that were downloading themselves.`,
    wrong: (name: string, good: number, count: number) =>
      `${name} ended with ${good} of ${count} good pieces.`,
    childEnded: (name: string, code: number, message: string) =>
      `${name} ended too early (exit code ${code}). ${message}`,
    stuck:
      'Nothing has moved for 20 seconds: the processes cannot reach each other on 127.0.0.1, or the program’s files were changed meanwhile.',
    next: 'Try next:',
    nextLines: [
      ['get SOURCE', 'download a torrent file, web address or magnet link'],
      ['seed FOLDER --tracker URL', 'share a folder of yours'],
      ['--help', 'everything else'],
    ] as readonly (readonly [string, string])[],
  },
};

/** The shape that every language fills. */
export type Messages = typeof en;
