import { useEffect, useRef } from 'react';
import { useNavigate } from 'react-router';
import { bindingFor, isTaken, keysEnabled } from './registry';

/** `g` and then one of these opens a page. */
export const GO_TO: Record<string, { path: string; label: string }> = {
  r: { path: '/runs', label: 'Runs' },
  q: { path: '/queue', label: 'Queue' },
  j: { path: '/jobs', label: 'Jobs' },
  u: { path: '/automation', label: 'Automation' },
  d: { path: '/deployment/daemons', label: 'Deployment' },
};

const SEQUENCE_ENDS_AFTER = 1500;

export interface GlobalActs {
  search: () => void;
  help: () => void;
  toggleScheme: () => void;
}

/** Keys that work on every page, then those of the page itself. */
export function useGlobalKeys(acts: GlobalActs): void {
  const navigate = useNavigate();
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    let goingSince = -Infinity;
    const press = (event: KeyboardEvent) => {
      if (!keysEnabled() || isTaken(event)) return;
      const going = event.timeStamp - goingSince < SEQUENCE_ENDS_AFTER;
      goingSince = -Infinity;
      const target = going ? GO_TO[event.key] : undefined;
      if (target) void navigate(target.path);
      else if (event.key === 'g') {
        goingSince = event.timeStamp;
        // A page may have a use for it by itself; leaving the page undoes whatever that was.
        bindingFor(event)?.act(event.key);
      } else if (event.key === '/') latest.current.search();
      else if (event.key === '?') latest.current.help();
      else if (event.key === 't') latest.current.toggleScheme();
      else {
        const binding = bindingFor(event);
        if (!binding) return;
        binding.act(event.key);
      }
      event.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [navigate]);
}
