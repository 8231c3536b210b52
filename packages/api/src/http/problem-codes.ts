/** Codes of problems and the status that each comes with. A code is never renamed; others of the node come with 422. */

export type ProblemCode = { readonly status: number; readonly meaning: string };

export const problemCodes = {
  HTTP_BODY_LONG: { status: 413, meaning: 'the body is longer than this route takes' },
  HTTP_BUSY: { status: 503, meaning: 'too much at once; `Retry-After` says when' },
  HTTP_CLIENT_GONE: { status: 400, meaning: 'the client went before its request was complete' },
  HTTP_CONTENT_TYPE: { status: 415, meaning: 'the body must be `application/json`' },
  HTTP_FETCH_SITE: {
    status: 403,
    meaning: "the browser says that another site's page asks (`Sec-Fetch-Site`)",
  },
  HTTP_HOST: {
    status: 421,
    meaning: 'the node is not called by this host name (DNS rebinding); see `http.allowedHosts`',
  },
  HTTP_INPUT: { status: 400, meaning: 'a part of the input is wrong; `errors` says which' },
  HTTP_JSON: { status: 400, meaning: 'the body is no JSON' },
  HTTP_LINK_EXPIRED: { status: 410, meaning: 'a link to content is too old; ask for a new one' },
  HTTP_LOGIN: { status: 401, meaning: 'wrong name or password, or a one-time token that was used' },
  HTTP_METHOD: { status: 405, meaning: 'not with this method; `Allow` names those that there are' },
  HTTP_ORIGIN: {
    status: 403,
    meaning: "another page's request (`Origin`); behind a proxy see `http.trustedProxies`",
  },
  HTTP_PATH: { status: 404, meaning: 'there is nothing at this path' },
  HTTP_RANGE: { status: 416, meaning: 'nothing of the range is in the file' },
  HTTP_TARGET_LONG: { status: 414, meaning: 'the address is too long' },
  HTTP_TOO_MANY: {
    status: 429,
    meaning: 'too many requests without a key; `Retry-After` says how long to wait',
  },
  HTTP_TOO_MANY_FAILURES: {
    status: 429,
    meaning: 'too many wrong passwords; `Retry-After` says how long to wait',
  },
  HTTP_UNKNOWN_CALLER: { status: 401, meaning: 'no key, password or session, or one that is not known' },
  USER_RIGHT: { status: 403, meaning: 'the scope or the user does not allow it' },
  USER_QUOTA: { status: 403, meaning: 'the user has no room left' },
  USER_MISSING: { status: 404, meaning: 'no such user' },
  KEY_MISSING: { status: 404, meaning: 'no such key' },
  PASSWORD_BUSY: { status: 429, meaning: 'too many passwords are being checked' },
  TORRENT_MISSING: { status: 404, meaning: 'no such torrent' },
  TORRENT_OWNED: { status: 409, meaning: 'another user has this torrent' },
  TORRENT_METADATA: { status: 409, meaning: 'its description has not come from the peers yet' },
  TWIN_INCOMPLETE: { status: 409, meaning: 'only a torrent that is complete can have a twin' },
  BRIDGE_INCOMPLETE: { status: 409, meaning: 'only a torrent that is complete can be offered on IPFS' },
  BRIDGE_PRIVATE: { status: 409, meaning: 'a private torrent is not offered on IPFS' },
  CATEGORY_MISSING: { status: 404, meaning: 'no such category' },
  DHT_OFF: { status: 409, meaning: 'the settings say that this node takes no part in the DHT' },
  DHT_BUSY: { status: 503, meaning: 'the node is asking the DHT much already' },
  DHT_UNREACHABLE: { status: 504, meaning: 'no node of the DHT has answered yet' },
  FOLDER_MISSING: { status: 404, meaning: 'no such folder in the torrent' },
  FILE_MISSING: { status: 404, meaning: 'no such file' },
  IPFS_OFF: { status: 409, meaning: 'the settings say that this node takes no part in IPFS' },
  IPFS_ALONE: { status: 409, meaning: 'this node takes no part in libp2p' },
  IPFS_FILES_MISSING: { status: 404, meaning: 'nothing is at this path of the tree' },
  IPFS_FILES_EXISTS: { status: 409, meaning: 'something is at this path of the tree already' },
  IPFS_BLOCK_MISSING: { status: 404, meaning: 'a block is not here, and nobody was found who has it' },
  IPFS_NOT_FOUND: { status: 504, meaning: 'nobody who has it answered in time' },
  LIST_QUERY: { status: 400, meaning: 'the list cannot be asked for in this way' },
  SETTINGS_VALUE: { status: 400, meaning: 'a setting may not have this value' },
  SETTINGS_FIXED: { status: 409, meaning: 'a flag or the environment decides this setting' },
  PREVIEW_TIMEOUT: { status: 504, meaning: 'no peer sent the description in time' },
  SOURCE_MISSING: { status: 404, meaning: 'the web server has no such torrent file' },
  SOURCE_UNREACHABLE: { status: 502, meaning: 'the web server does not answer, or with something else' },
  SOURCE_TOO_LONG: { status: 502, meaning: 'what the web server has is too long for a torrent file' },
} as const satisfies Readonly<Record<string, ProblemCode>>;

/** Of codes that are not in the table: understood, and it cannot be done. */
export const otherProblemStatus = 422;
