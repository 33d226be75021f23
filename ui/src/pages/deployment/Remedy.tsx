import type { Daemon } from '../../api/types';
import { Command } from '../../components/Command';
import { remedy } from './daemonWords';

/** The command that mends it, and its effect. */
export function Remedy({ daemon }: { daemon: Daemon }) {
  const found = remedy(daemon);
  if (!found) return null;
  return (
    <>
      <Command text={found.text} prompt={found.prompt} /> <span className="dim">{found.effect}</span>
    </>
  );
}
