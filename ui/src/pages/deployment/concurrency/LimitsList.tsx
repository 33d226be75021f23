import { Fragment } from 'react';
import { Wagons } from '../../../components/Wagons';
import type { Section } from './limitRows';
import classes from './Concurrency.module.css';

/** Limits on a phone; a touch opens one. */
export function LimitsList({ sections, onOpen }: { sections: Section[]; onOpen: (id: string) => void }) {
  return (
    <ul className="rows">
      {sections.map((section) => (
        <Fragment key={section.title}>
          <li className={classes.listHead}>{section.title}</li>
          {section.rows.map((row) => (
            <li key={row.id}>
              <button type="button" className={classes.listRow} onClick={() => onOpen(row.id)}>
                <span className="first">
                  <b className="strong grow cut">{row.title}</b>
                  <span className={row.use?.full ? 'wait strong' : 'dim-2'}>
                    {row.use?.used ?? 0} of {row.limit ?? 'no limit'}
                  </span>
                </span>
                {row.limit !== null && row.limit >= 0 && (
                  <Wagons limit={row.limit} used={row.use?.used ?? 0} waiting={row.use?.waiting ?? 0} small />
                )}
              </button>
            </li>
          ))}
        </Fragment>
      ))}
    </ul>
  );
}
