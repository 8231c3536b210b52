/**
 * Items as they come. `close` is called once: after the last of them, after a fault, or when nobody wants more, also
 * when nobody ever asked for the first (the `finally` of a generator that never began would not run then).
 */
export function closedAfter<Item>(items: AsyncIterable<Item>, close: () => void): AsyncIterable<Item> {
  const iterator = items[Symbol.asyncIterator]();
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    close();
  };
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          const next = await iterator.next();
          if (next.done === true) end();
          return next;
        } catch (error) {
          end();
          throw error;
        }
      },
      async return() {
        try {
          await iterator.return?.();
        } finally {
          end();
        }
        return { done: true, value: undefined };
      },
    }),
  };
}
