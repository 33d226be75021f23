import type { ReactNode } from 'react';
import type { Reason } from '../api/types';
import { shortId } from '../lib/words';
import { RunLink } from './RunLink';

/** The server's sentence with the rule in bold and the ids of the holders as links. */
export function ReasonText({ reason }: { reason: Reason }) {
  return <>{marked(reason)}</>;
}

function marked(reason: Reason): ReactNode[] {
  const names = new Map<string, ReactNode>();
  if (reason.rule) names.set(reason.rule, <b className="strong">{reason.rule}</b>);
  for (const id of reason.holders) {
    const link = <RunLink runId={id} />;
    names.set(id, link);
    names.set(shortId(id), link);
  }
  if (names.size === 0) return [reason.message];
  const pattern = [...names.keys()].sort((a, b) => b.length - a.length).map(escaped).join('|');
  return reason.message.split(new RegExp(`(${pattern})`)).map((part, index) => (
    <span key={index}>{names.get(part) ?? part}</span>
  ));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
