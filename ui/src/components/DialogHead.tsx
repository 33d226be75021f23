import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { Key } from './Key';
import classes from './DialogHead.module.css';

/** Head of a Modal; its title names the dialog to screen readers. */
export function DialogHead({ title, about, onClose }: { title: string; about?: ReactNode; onClose: () => void }) {
  return (
    <header className={classes.head}>
      <Modal.Title>{title}</Modal.Title>
      <span className="dim">{about}</span>
      <button type="button" onClick={onClose}>
        Close <Key>Esc</Key>
      </button>
    </header>
  );
}
