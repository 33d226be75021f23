import type { ReactNode } from 'react';
import { useEffect } from 'react';
import classes from './PageHead.module.css';

interface PageHeadProps {
  title: ReactNode;
  /** For the browser's tab. */
  name: string;
  tabs?: ReactNode;
  children?: ReactNode;
  aside?: ReactNode;
}

/** The 46 px head of a page: title, tabs or a sentence, actions on the right. */
export function PageHead({ title, name, tabs, children, aside }: PageHeadProps) {
  useEffect(() => {
    document.title = `${name} · Runyard`;
  }, [name]);
  return (
    <header className={classes.head}>
      <h1 className={classes.title}>{title}</h1>
      {tabs}
      {children && <div className={classes.sentence}>{children}</div>}
      {aside && <div className={classes.aside}>{aside}</div>}
    </header>
  );
}
