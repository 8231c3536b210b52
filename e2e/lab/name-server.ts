/** A name server of a test: TXT records over UDP, and nothing else. Source: RFC 1035, sections 3.3.14 and 4.1. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const typeTxt = 16;
const headBytes = 12;
const noSuchName = 3;

export class NameServer {
  /** TXT records by name, which may be changed. */
  readonly texts = new Map<string, readonly string[]>();
  /** Names that were asked for, in order. */
  readonly asked: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, from) => {
      const answer = this.#answer(query);
      if (answer !== null) socket.send(answer, from.port, from.address);
    });
  }

  /** On port 53 of an address of this machine. */
  static async start(address: string): Promise<NameServer> {
    const socket = createSocket('udp4');
    socket.bind(53, address);
    await once(socket, 'listening');
    return new NameServer(socket);
  }

  close(): void {
    this.#socket.close();
  }

  /** To a query of one question; null: to none. */
  #answer(query: Buffer): Buffer | null {
    const labels: string[] = [];
    let at = headBytes;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const end = at + 5;
    if (query.length < end) return null;
    const name = labels.join('.').toLowerCase();
    this.asked.push(name);
    const texts = query.readUInt16BE(at + 1) === typeTxt ? this.texts.get(name) : undefined;
    const head = Buffer.from(query.subarray(0, headBytes));
    // An answer, recursion is there; one question, no other records than answers.
    head.writeUInt16BE(0x8180 | (texts === undefined ? noSuchName : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(texts?.length ?? 0, 6);
    head.writeUInt32BE(0, 8);
    return Buffer.concat([head, query.subarray(headBytes, end), ...(texts ?? []).map(textRecord)]);
  }
}

/** Of the name that was asked for, for a minute. */
function textRecord(text: string): Buffer {
  const bytes = Buffer.from(text);
  const record = Buffer.alloc(13 + bytes.length);
  record.writeUInt16BE(0xc000 | headBytes, 0);
  record.writeUInt16BE(typeTxt, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(1 + bytes.length, 10);
  record.writeUInt8(bytes.length, 12);
  bytes.copy(record, 13);
  return record;
}
