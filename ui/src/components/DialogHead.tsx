import type { ReactNode } from 'react';
import { Key } from './Key';
import classes from './DialogHead.module.css';

export function DialogHead({ title, about, onClose }: { title: string; about?: ReactNode; onClose: () => void }) {
  return (
    <header className={classes.head}>
      <h2>{title}</h2>
      <span className="dim">{about}</span>
      <button type="button" onClick={onClose}>
        Close <Key>Esc</Key>
      </button>
    </header>
  );
}
