/** `pubsub/…`: messages to all who subscribe to a topic. Topics and messages are bytes, written in multibase. */
import { multibases } from '@tequio/ipfs';
import { encodeUtf8, type OverlayMessage, tryDecodeUtf8 } from '@tequio/kernel';
import { decodeMultibase } from './key-verbs.ts';
import { live, nothing, value } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { overlayOf } from './kubo-overlay.ts';
import type { KuboVerbs } from './kubo-verb.ts';

const messageBytesMax = 1 << 20;
const base64url = multibases.get('base64url')!;

export const pubsubVerbs: KuboVerbs = {
  'pubsub/sub': {
    scope: 'read',
    run: (call, deps) => live(shown(deps.topics.messages(overlayOf(deps), topicOf(call), call.signal))),
  },
  'pubsub/pub': {
    scope: 'write',
    run: async (call, deps) => {
      const topic = topicOf(call);
      await overlayOf(deps).publish(topic, await call.contentBytes('data', messageBytesMax));
      return nothing;
    },
  },
  'pubsub/ls': {
    scope: 'read',
    run: (_, deps) => value({ Strings: deps.topics.names.map(written) }),
  },
  'pubsub/peers': {
    scope: 'read',
    run: (call, deps) => {
      const topic = call.args.length === 0 ? null : topicOf(call);
      return value({ Strings: overlayOf(deps).subscribersOf(topic) });
    },
  },
  'pubsub/reset': { scope: 'write', run: () => value({ deleted: 0 }) },
};

/** @throws KuboUsageError */
function topicOf(call: KuboCall): string {
  const topic = tryDecodeUtf8(decodeMultibase(call.arg(0, 'topic'), 'topic'));
  if (topic === null) throw new KuboUsageError('topics are text in UTF-8 here');
  return topic;
}

function written(text: string): string {
  return base64url.encoder.encode(encodeUtf8(text));
}

async function* shown(messages: AsyncIterable<OverlayMessage>): AsyncGenerator<unknown> {
  for await (const { from, bytes, sequence, topic } of messages) {
    const seqno = Buffer.alloc(8);
    seqno.writeBigUInt64BE(BigInt.asUintN(64, sequence));
    yield {
      from,
      data: base64url.encoder.encode(bytes),
      seqno: base64url.encoder.encode(seqno),
      topicIDs: [written(topic)],
    };
  }
}
