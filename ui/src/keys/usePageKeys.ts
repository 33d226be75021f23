import { useEffect, useRef } from 'react';
import { setPageKeys, type PageKey } from './registry';

/** The keys of this page, for as long as it is open. */
export function usePageKeys(keys: PageKey[]): void {
  const latest = useRef(keys);
  latest.current = keys;
  const signature = keys.map((key) => `${key.show.join('+')} ${key.label}`).join('|');
  useEffect(() => {
    // Acts look the newest closure up, so the list changes only when its words do.
    setPageKeys(latest.current.map((key, index) => ({ ...key, act: (pressed) => latest.current[index]?.act(pressed) })));
    return () => setPageKeys([]);
  }, [signature]);
}
