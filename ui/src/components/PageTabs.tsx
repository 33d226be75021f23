import { NavLink } from 'react-router';
import { grouped } from '../lib/words';
import classes from './PageTabs.module.css';

export interface PageTab {
  to: string;
  label: string;
  count?: number;
  active?: boolean;
}

/** Tabs of a page: a 2 px underline under the one that is open. */
export function PageTabs({ tabs }: { tabs: PageTab[] }) {
  return (
    <nav className={classes.tabs} aria-label="Parts of this page">
      {tabs.map((tab) => (
        <NavLink key={tab.label} to={tab.to} end className={({ isActive }) => ((tab.active ?? isActive) ? classes.active : '')}>
          {tab.label}
          {tab.count !== undefined && <span className={classes.count}>{grouped(tab.count)}</span>}
        </NavLink>
      ))}
    </nav>
  );
}
