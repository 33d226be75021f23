import { useSyncExternalStore } from 'react';

function watching(query: string) {
  const media = window.matchMedia(query);
  return {
    subscribe: (listener: () => void) => {
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    matches: () => media.matches,
  };
}

const phone = watching('(max-width: 719px)');
const medium = watching('(max-width: 1199px)');

/** Below 720 px tables become lists. */
export const useNarrow = () => useSyncExternalStore(phone.subscribe, phone.matches);

/** Below 1200 px side panels leave the page. */
export const useMedium = () => useSyncExternalStore(medium.subscribe, medium.matches);
