import type { LimitOutcome } from '../../../api/simulateTypes';
import { duration } from '../../../lib/time';
import classes from './WhatIf.module.css';

/** How much of each limit is used, before and after. */
export function UtilisationTable({ before, after }: { before: LimitOutcome[]; after: LimitOutcome[] | null }) {
  const rules = [...new Set([...before, ...(after ?? [])].map((limit) => limit.rule))];
  if (rules.length === 0) return null;
  const [was, will] = [byRule(before), byRule(after ?? [])];
  return (
    <div className={classes.scroll}>
      <table className={`table ${classes.table}`} aria-label="Use of limits">
        <thead>
          <tr>
            <th className={classes.what}>Limit</th>
            <th className="num">Limit</th>
            {after && <th className="num">after</th>}
            <th className="num">In use on average</th>
            {after && <th className="num">after</th>}
            <th className="num">Full for</th>
            {after && <th className="num">after</th>}
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule}>
              <td className="name">{rule === 'max_concurrent_runs' ? 'Run slots' : rule}</td>
              <Cells show={limitOf} before={was.get(rule)} after={after ? (will.get(rule) ?? null) : undefined} />
              <Cells show={share} before={was.get(rule)} after={after ? (will.get(rule) ?? null) : undefined} />
              <Cells show={full} before={was.get(rule)} after={after ? (will.get(rule) ?? null) : undefined} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface CellsProps {
  show: (limit: LimitOutcome) => string;
  before: LimitOutcome | undefined;
  after: LimitOutcome | null | undefined;
}

function Cells({ show, before, after }: CellsProps) {
  return (
    <>
      <td className="num">{before ? show(before) : '–'}</td>
      {after !== undefined && <td className={`num ${after && before && show(after) !== show(before) ? 'strong' : 'dim-2'}`}>{after ? show(after) : '–'}</td>}
    </>
  );
}

const byRule = (limits: LimitOutcome[]) => new Map(limits.map((limit) => [limit.rule, limit]));
const limitOf = ({ limit }: LimitOutcome) => (limit === null ? 'none' : String(limit));
const share = ({ utilisation }: LimitOutcome) => `${Math.round(100 * utilisation)} %`;
const full = ({ full_seconds: seconds }: LimitOutcome) => duration(seconds * 1000);
