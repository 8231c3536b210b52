/**
 * Carries what the metadata exchange and the hash exchange want to say to the peers that it concerns, and tells their
 * results. Both exchanges know peers by key alone.
 */
import type { Fault } from '@tequio/kernel';
import { encodeHashRequest } from '../wire/hash-messages.ts';
import { encodeMetadataData, encodeMetadataReject, encodeMetadataRequest } from '../wire/metadata.ts';
import { messageId } from '../wire/peer-message.ts';
import type { TorrentContent } from './content.ts';
import type { HashEffect } from './hash-exchange.ts';
import type { MetadataEffect, MetadataExchange } from './metadata-exchange.ts';
import type { Peer, PeerKey } from './peer.ts';

export interface RelayHost {
  readonly peers: ReadonlyMap<PeerKey, Peer>;
  touched(peer: Peer): void;
  blame(key: PeerKey, fault: Fault): void;
  metadataArrived(info: Uint8Array): void;
  /** More pieces can be verified than before. */
  hashesArrived(): void;
}

export class ExchangeRelay {
  readonly #host: RelayHost;

  constructor(host: RelayHost) {
    this.#host = host;
  }

  relayMetadata(metadata: MetadataExchange): void {
    const effects: MetadataEffect[] = [];
    metadata.drain(effects);
    for (const effect of effects) {
      if (effect.type === 'done') this.#host.metadataArrived(effect.info);
      else if (effect.type === 'blame') this.#host.blame(effect.peer, effect.fault);
      else this.#sendMetadata(effect);
    }
  }

  relayHashes(content: TorrentContent): void {
    const effects: HashEffect[] = [];
    content.hashExchange.drain(effects);
    for (const effect of effects) {
      if (effect.type === 'request') {
        const peer = this.#host.peers.get(effect.peer);
        if (peer === undefined) continue;
        peer.writer.writePayload(messageId.hashRequest, encodeHashRequest(effect.request));
        this.#host.touched(peer);
      } else if (effect.type === 'blame') this.#host.blame(effect.peer, effect.fault);
      else if (effect.type === 'badBlocks') content.handleBadBlocks(effect.piece, effect.blocks);
      else if (effect.type === 'blocksUnknown') content.handleBadBlocks(effect.piece, []);
      else this.#host.hashesArrived();
    }
  }

  #sendMetadata(effect: Exclude<MetadataEffect, { type: 'done' | 'blame' }>): void {
    const peer = this.#host.peers.get(effect.peer);
    const id = peer?.extensionIds.ut_metadata;
    if (peer === undefined || !id) return;
    const payload =
      effect.type === 'request'
        ? encodeMetadataRequest(effect.piece)
        : effect.type === 'data'
          ? encodeMetadataData(effect.piece, effect.totalBytes, effect.bytes)
          : encodeMetadataReject(effect.piece);
    peer.writer.writeExtended(id, payload);
    this.#host.touched(peer);
  }
}
