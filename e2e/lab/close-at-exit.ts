/** Something of this process that would stay behind on the machine; closed twice it does no harm. */
export type Closable = { close(): void };

const open = new Set<Closable>();
let guarded = false;

/** Closes it when this process ends, by itself or by a signal. What it returns is called when it is closed before. */
export function closeAtExit(closable: Closable): () => void {
  open.add(closable);
  guard();
  return () => open.delete(closable);
}

function guard(): void {
  if (guarded) return;
  guarded = true;
  const closeAll = (): void => {
    for (const closable of open) closable.close();
  };
  process.once('exit', closeAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      closeAll();
      process.exit(1);
    });
  }
}
