import type { NatWay, NodeApi } from '@tequio/api';
import type { Session } from './session.ts';

/** Says, while a command goes on, what routers let through and what they cannot: each thing once. */
export class NatNotes {
  readonly #session: Session;
  readonly #node: NodeApi;
  readonly #told = new Set<string>();
  readonly #unsubscribe: () => void;

  constructor(session: Session, node: NodeApi) {
    this.#session = session;
    this.#node = node;
    this.#unsubscribe = node.nat?.subscribe(() => this.#tell()) ?? (() => {});
    this.#tell();
  }

  close(): void {
    this.#unsubscribe();
  }

  #tell(): void {
    for (const way of this.#node.nat?.status().ways ?? []) {
      const text = this.#textOf(way);
      if (text === null || this.#told.has(text)) continue;
      this.#told.add(text);
      this.#session.output.note(text);
      this.#session.output.json({ type: 'nat', ...way });
    }
  }

  #textOf(way: NatWay): string | null {
    const { nat: say } = this.#session.messages;
    if (way.isDoubleNat) return say.doubleNat;
    const mapped = way.mappings.find(({ state }) => state === 'mapped');
    if (mapped === undefined || way.mappings.some(({ state }) => state === 'asked')) return null;
    const where = way.family === 6 ? `[${way.local}]` : (way.externalAddress ?? '?');
    return say.letsIn(`${where}:${mapped.externalPort}`);
  }
}

/** For the last line of `--json`: can others reach this node, how that is known, and what to do. */
export async function reachabilityToJson(node: NodeApi): Promise<object> {
  return { reachability: await node.reachability() };
}
