import { Link, useLocation } from 'react-router';
import { sectionOf, SECTIONS } from './sections';
import classes from './BottomBar.module.css';

/** The main tabs on a phone. */
export function BottomBar() {
  const open = sectionOf(useLocation().pathname);
  return (
    <nav className={classes.bar} aria-label="Main">
      {SECTIONS.map((section) => (
        <Link
          key={section.path}
          to={section.path}
          className={section === open ? classes.active : ''}
          aria-current={section === open ? 'page' : undefined}
        >
          <section.icon size={18} stroke={1.6} aria-hidden="true" />
          {section.label}
        </Link>
      ))}
    </nav>
  );
}
