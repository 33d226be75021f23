import { IconMoon, IconSun } from '@tabler/icons-react';
import type { RefObject } from 'react';
import { Link, useLocation } from 'react-router';
import { useQueueSummary } from '../api/queueQueries';
import { useNarrow } from '../lib/useNarrow';
import { HealthBox } from './HealthBox';
import { Logo } from './Logo';
import { NavTab } from './NavTab';
import { SearchField } from './SearchField';
import { sectionOf, SECTIONS } from './sections';
import classes from './TopBar.module.css';

interface TopBarProps {
  dark: boolean;
  onToggleScheme: () => void;
  searchRef: RefObject<HTMLInputElement | null>;
}

export function TopBar({ dark, onToggleScheme, searchRef }: TopBarProps) {
  const { pathname } = useLocation();
  const open = sectionOf(pathname);
  const narrow = useNarrow();
  return (
    <header className={classes.bar}>
      <Link to="/runs" className={classes.brand} aria-label="Runyard">
        <Logo />
        <span>{narrow ? (open?.label ?? 'runyard') : 'runyard'}</span>
      </Link>
      {!narrow && <MainTabs open={open?.path} />}
      <div className={classes.right}>
        {!narrow && <SearchField ref={searchRef} />}
        <HealthBox />
        {!narrow && <span className={classes.zone}>{zoneName()}</span>}
        <button type="button" className={classes.scheme} onClick={onToggleScheme} aria-label={dark ? 'Light colours' : 'Dark colours'}>
          {dark ? <IconMoon size={15} stroke={1.7} /> : <IconSun size={15} stroke={1.7} />}
        </button>
      </div>
    </header>
  );
}

function MainTabs({ open }: { open: string | undefined }) {
  const waiting = useQueueSummary().data?.depth ?? 0;
  return (
    <nav className={classes.tabs} aria-label="Main">
      {SECTIONS.map(({ path, label }) => (
        <NavTab key={path} to={path} label={label} active={path === open} count={path === '/queue' ? waiting : undefined} />
      ))}
    </nav>
  );
}

/** The time zone that every clock of these pages is in: `Zurich`. */
function zoneName(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  return zone.slice(zone.lastIndexOf('/') + 1).replaceAll('_', ' ');
}
