/**
 * Places in the node's budget for connections that come by transports with sockets of their own (WebSocket, QUIC,
 * WebRTC): TCP asks before it dials, these are counted as soon as they are open, and closed when there is no room.
 */
import type { Connection } from '@libp2p/interface';
import { TCP } from '@multiformats/multiaddr-matcher';
import type { Admission, ConnectionSlot } from '@tequio/network';
import { tryEndpointOf } from './tcp-addresses.ts';
import { budgetGroup } from './tcp-transport.ts';

/** See the head of this file. */
export class ConnectionSlots {
  readonly #admission: Admission;
  readonly #slots = new Map<string, ConnectionSlot>();

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  handleOpen(connection: Connection): void {
    const { remoteAddr, direction, id } = connection;
    // TCP has its place already, and what goes through a relay uses the connection to it.
    if (connection.limits !== undefined || TCP.exactMatch(remoteAddr)) return;
    const endpoint = tryEndpointOf(remoteAddr);
    // Between two routers WebRTC does not say where the other one is.
    if (endpoint === null) return;
    const { budget } = this.#admission;
    const slot =
      direction === 'outbound'
        ? budget.tryDial(budgetGroup, endpoint.address)
        : budget.tryAccept(endpoint.address);
    if (slot === null) {
      connection.abort(new Error('the connections of this node are used up'));
      return;
    }
    this.#slots.set(id, slot);
    if (direction === 'outbound') slot.markOpen();
    else if (!slot.tryJoin(budgetGroup)) connection.abort(new Error('too many connections'));
  }

  handleClose({ id }: Connection): void {
    this.#slots.get(id)?.release();
    this.#slots.delete(id);
  }

  close(): void {
    for (const slot of this.#slots.values()) slot.release();
    this.#slots.clear();
  }
}
