import { Button, Modal, NumberInput, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { SteerAction, Steering } from '../../api/queueTypes';
import { DialogHead } from '../../components/DialogHead';
import { EFFECTS, VERBS } from './steerWords';
import classes from '../../components/Dialog.module.css';

export interface SteerQuestion {
  action: SteerAction;
  /** `gate`, `3 runs`. */
  what: string;
  about?: string;
  priority?: number;
  act: (steering: Steering) => void;
}

/** Asks for what an act needs: a priority, or the reason that others will read. */
export function SteerDialog({ question, onClose }: { question: SteerQuestion | null; onClose: () => void }) {
  return (
    <Modal opened={question !== null} onClose={onClose} size={460}>
      {question && <SteerForm question={question} onClose={onClose} />}
    </Modal>
  );
}

function SteerForm({ question, onClose }: { question: SteerQuestion; onClose: () => void }) {
  const { action, what, about } = question;
  const [reason, setReason] = useState('');
  const [priority, setPriority] = useState<number | string>(question.priority ?? 0);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (action === 'priority' && typeof priority !== 'number') return;
    question.act(action === 'priority' ? { action, priority: Number(priority) } : { action, reason: reason.trim() });
    onClose();
  };
  return (
    <form onSubmit={submit}>
      <DialogHead title={action === 'priority' ? `Priority of ${what}` : `${VERBS[action]} ${what}`} about={about} onClose={onClose} />
      <div className={classes.body}>
        {action === 'priority' ? (
          <NumberInput label="Priority" value={priority} onChange={setPriority} allowDecimal={false} data-autofocus />
        ) : (
          <TextInput
            label="Why"
            placeholder="partner asked to wait"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            data-autofocus
          />
        )}
        <p className="dim-2">{EFFECTS[action]}</p>
      </div>
      <footer className={classes.foot}>
        <Button onClick={onClose}>Leave it</Button>
        <Button type="submit" variant="filled">
          {VERBS[action]}
        </Button>
      </footer>
    </form>
  );
}
