/** What a call is refused with. Codes: JSON-RPC 2.0, and those of Transmission 4.1 for its own failures. */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  setAnnounceList: 1,
  invalidTrackerList: 2,
  pathNotAbsolute: 3,
  unrecognizedInfo: 4,
  systemError: 5,
  fileOutOfRange: 6,
  pieceOutOfRange: 7,
  httpError: 8,
  corruptTorrent: 9,
} as const;

/** The sentence that belongs to a code, in lower case as Transmission writes its own. */
export const rpcMessages: Readonly<Record<number, string>> = {
  [rpcCodes.parseError]: 'Parse error',
  [rpcCodes.invalidRequest]: 'Invalid Request',
  [rpcCodes.methodNotFound]: 'Method not found',
  [rpcCodes.invalidParams]: 'Invalid params',
  [rpcCodes.internalError]: 'Internal error',
  [rpcCodes.setAnnounceList]: 'error setting announce list',
  [rpcCodes.invalidTrackerList]: 'Invalid tracker list',
  [rpcCodes.pathNotAbsolute]: 'path is not absolute',
  [rpcCodes.unrecognizedInfo]: 'unrecognized info',
  [rpcCodes.systemError]: 'system error',
  [rpcCodes.fileOutOfRange]: 'file index out of range',
  [rpcCodes.pieceOutOfRange]: 'piece index out of range',
  [rpcCodes.httpError]: 'HTTP error from backend service',
  [rpcCodes.corruptTorrent]: 'invalid or corrupt torrent file',
};

export class RpcError extends Error {
  readonly code: number;
  /** What the method has found out all the same. */
  readonly result: Readonly<Record<string, unknown>> | null;

  /** @param text what the older dialect says; empty: the sentence of the code */
  constructor(code: number, text = '', result: Readonly<Record<string, unknown>> | null = null) {
    super(text === '' ? (rpcMessages[code] ?? 'error') : text);
    this.code = code;
    this.result = result;
  }
}

export function invalidParams(text: string): RpcError {
  return new RpcError(rpcCodes.invalidParams, text);
}
