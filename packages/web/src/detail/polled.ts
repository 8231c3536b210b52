import { useEffect, useState } from 'preact/hooks';
import { isSeen } from '../node.ts';

/** What a call answers, asked again every so often while the page is seen. Null: not known yet. */
export function usePolled<Value>(
  ask: () => Promise<Value>,
  intervalMs: number,
  keys: readonly unknown[],
): Value | null {
  const [value, setValue] = useState<Value | null>(null);
  const seen = isSeen.value;
  useEffect(() => {
    if (!seen) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const look = async (): Promise<void> => {
      const latest = await ask().catch(() => null);
      if (isOver) return;
      if (latest !== null) setValue(() => latest);
      timer = setTimeout(look, intervalMs);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [seen, ...keys]);
  return value;
}
