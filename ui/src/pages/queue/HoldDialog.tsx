import { Button, Modal, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { QueueEntry } from '../../api/types';
import { DialogHead } from '../../components/DialogHead';
import { shortId } from '../../lib/words';
import classes from './HoldDialog.module.css';

interface HoldDialogProps {
  entry: QueueEntry | null;
  onClose: () => void;
  onHold: (entry: QueueEntry, reason: string) => void;
}

/** Asks why; the answer stands in the queue for whoever wonders. */
export function HoldDialog({ entry, onClose, onHold }: HoldDialogProps) {
  return (
    <Modal opened={entry !== null} onClose={onClose} size={460}>
      {entry && <HoldForm key={entry.run_id} entry={entry} onClose={onClose} onHold={onHold} />}
    </Modal>
  );
}

function HoldForm({ entry, onClose, onHold }: HoldDialogProps & { entry: QueueEntry }) {
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onHold(entry, reason.trim());
  };
  return (
    <form onSubmit={submit}>
      <DialogHead title={`Hold ${entry.job_name}`} about={<span className="mono">{shortId(entry.run_id)}</span>} onClose={onClose} />
      <div className={classes.body}>
        <TextInput
          label="Why"
          placeholder="partner asked to wait"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
        <p className="dim-2">It keeps its priority and its age, holds no slot, and starts only when somebody releases it.</p>
      </div>
      <footer className={classes.foot}>
        <Button onClick={onClose}>Leave it</Button>
        <Button type="submit" variant="filled">
          Hold it
        </Button>
      </footer>
    </form>
  );
}
