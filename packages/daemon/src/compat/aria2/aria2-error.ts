/** What a call is refused with. Codes: 1 for what aria2 itself refuses, the others JSON-RPC 2.0's. */
export const aria2Codes = {
  refused: 1,
  parse: -32700,
  request: -32600,
  method: -32601,
  internal: -32603,
} as const;

export class Aria2Error extends Error {
  readonly code: number;

  constructor(message: string, code: number = aria2Codes.refused) {
    super(message);
    this.code = code;
  }
}
