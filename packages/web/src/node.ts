/** The node behind the page: one client, whether it answers, and its status. */

import { effect, signal } from '@preact/signals';
import type { NodeStatus } from '@tequio/api';
import { createClient, type NodeClient } from '@tequio/client';
import type { NodeError } from '@tequio/kernel';

export const node: NodeClient = createClient({ url: new URL('.', location.href).href });

/** Whether the page may speak to the node. */
export const access = signal<'asking' | 'in' | 'out'>('asking');
/** Why the node does not answer; null: it does. */
export const trouble = signal<NodeError | null>(null);
export const status = signal<NodeStatus | null>(null);
/** False while nobody can see the page: then it asks for nothing and draws nothing. */
export const isSeen = signal(!document.hidden);

document.addEventListener('visibilitychange', () => {
  isSeen.value = !document.hidden;
});

/** Comes in: by the one-time token of the address, or by the cookie of an earlier time. */
export async function enter(): Promise<void> {
  const token = /[#&]token=([^&]+)/.exec(location.hash)?.[1];
  if (token !== undefined) {
    history.replaceState(null, '', location.pathname + location.search);
    await node.login({ token: decodeURIComponent(token) }).catch(() => {});
  }
  try {
    status.value = await untilReached(() => node.status.status());
    access.value = 'in';
  } catch {
    access.value = 'out';
  }
}

/** Asks until the node answers, whatever it says; while it does not the page shows why. */
export async function untilReached<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if ((error as NodeError).code !== 'HTTP_UNREACHABLE') throw error;
      trouble.value = error as NodeError;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** The status is followed while somebody is in and looks. */
effect(() => {
  if (access.value !== 'in' || !isSeen.value) return;
  return node.watchStatus(
    (latest) => {
      status.value = latest;
    },
    (error) => {
      trouble.value = error;
      if (error !== null && /^(?:HTTP_UNKNOWN_CALLER|HTTP_CREDENTIALS)$/.test(error.code))
        access.value = 'out';
    },
  );
});
