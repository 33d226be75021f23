import type { ReactNode } from 'react';
import type { CodeLocation } from '../../api/types';
import { StateWord } from '../../components/Glyph';
import { Traceback } from '../../components/Traceback';
import type { Look } from '../../lib/status';
import { clock, fullTime, millis } from '../../lib/time';
import { useMedium, useNarrow } from '../../lib/useNarrow';
import { useNow } from '../../lib/useNow';
import classes from './Locations.module.css';

const LOOKS: Record<CodeLocation['state'], Look> = {
  LOADED: { glyph: 'tick', tone: 'ok', word: 'Loaded', quiet: true },
  LOADING: { glyph: 'starting', tone: 'run', word: 'Loading' },
  ERROR: { glyph: 'down', tone: 'fail', word: 'Will not load' },
};

/** A code location; one that does not load shows why, the person's own frames first. */
export function LocationRow({ location, action }: { location: CodeLocation; action: ReactNode }) {
  const now = useNow();
  // A cell must not span columns that are hidden: it would open them again.
  const [narrow, medium] = [useNarrow(), useMedium()];
  const columns = narrow ? 2 : medium ? 3 : 6;
  const at = millis(location.updated_at);
  const keeps = location.state === 'ERROR' && location.jobs.length > 0;
  return (
    <tbody data-location={location.name} data-state={location.state}>
      <tr>
        <td>
          <StateWord look={LOOKS[location.state]} />
        </td>
        <td className="name">{location.name}</td>
        <td className="dim-2 wide" title={location.source}>
          {location.source}
        </td>
        <td className="dim-2 minor" title={location.jobs.join(', ')}>
          {location.jobs.join(', ') || '–'}
        </td>
        <td className="dim-2 minor" title={location.start_method_reason ?? undefined}>
          {location.start_method}
        </td>
        <td className="num dim-2 minor" title={at === null ? undefined : fullTime(at)}>
          {at === null ? '–' : clock(at, now)}
        </td>
        <td className="num control">{action}</td>
      </tr>
      {location.start_method_reason && (
        <tr className={`plain ${classes.below}`}>
          <td />
          <td colSpan={columns}>
            Workers start by {location.start_method}. {location.start_method_reason}
          </td>
        </tr>
      )}
      {location.problems.length > 0 && (
        <tr className={`plain ${classes.below}`}>
          <td />
          <td colSpan={columns}>
            {location.problems.map((problem) => (
              <p key={problem} className="fail">
                Cannot run: {problem}
              </p>
            ))}
          </td>
        </tr>
      )}
      {location.error && (
        <tr className={`plain ${classes.below}`}>
          <td />
          <td colSpan={columns}>
            <Traceback error={location.error} />
            {keeps && <p className="dim-2">Its last good definitions still serve.</p>}
          </td>
        </tr>
      )}
    </tbody>
  );
}
